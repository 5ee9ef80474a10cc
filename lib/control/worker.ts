import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Logger, run, type WorkerEvents } from "graphile-worker";
import pg from "pg";
import { z } from "zod";
import { connectionConfig } from "../db/client";
import { advanceBackups } from "./backups/advance";
import type { Context } from "./context";
import { convergeVm } from "./converge";
import { applyChangedNetworks, applyNetworks } from "./networks/apply";

/** VMs converged at the same time by one console; each holds a database connection. */
export const workerConcurrency = 8;

/** How long to wait before taking up work again after the database was away. */
const restartDelayMs = 500;

/** What is asked for by the clock (graphile-worker, "Recurring tasks"): one job a minute, however many consoles there are. */
const crontab = "* * * * * advance-backups ?jobKey=advance-backups&max=1";

const jobSchema = z.object({ vmId: z.number().int() });

export interface Worker {
  /** Finishes what is under way and takes no more. */
  stop(): Promise<void>;
}

/**
 * Carries out the jobs of the queue for as long as the process lives. What a killed console had taken is not taken up again as that job; the
 * sweep (lib/control/resync.ts) asks anew for every VM that is not where it should be.
 */
export function startWorker(context: Context): Worker {
  const { log, settings } = context;
  const stopping = new AbortController();
  const isStopped = once(stopping.signal, "abort");

  async function runOnce(): Promise<void> {
    const pgPool = new pg.Pool({ ...connectionConfig(settings), max: workerConcurrency + 2 });
    pgPool.on("error", (err) => log.warn({ err }, "job queue lost a connection"));
    const events: WorkerEvents = new EventEmitter();
    // A worker that can't tell the database how its job ended, ends; graphile-worker puts none in its place.
    const hasLostWorker = once(events, "worker:fatalError");
    try {
      const runner = await run({
        pgPool,
        events,
        concurrency: workerConcurrency,
        noHandleSignals: true,
        pollInterval: 2_000,
        logger: quietLogger(log),
        crontab,
        taskList: {
          converge: async (payload) => convergeVm(context, jobSchema.parse(payload).vmId),
          "apply-networks": async () => applyChangedNetworks(context),
          "renew-networks": async () => applyNetworks(context),
          "advance-backups": async () => advanceBackups(context),
        },
      });
      await Promise.race([runner.promise, hasLostWorker, isStopped]);
      await runner.stop();
    } finally {
      await pgPool.end();
    }
  }

  async function runForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await runOnce();
        if (!stopping.signal.aborted) log.warn("job queue lost a worker; starting it again");
      } catch (err) {
        log.warn({ err }, "job queue stopped; starting it again");
        await Promise.race([delay(restartDelayMs), isStopped]);
      }
    }
  }

  const running = runForever();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

function quietLogger(log: Context["log"]) {
  return new Logger(() => (level, message, meta) => {
    if (level === "error") log.error(meta ?? {}, message);
    else if (level === "warning") log.warn(meta ?? {}, message);
  });
}
