import { Logger, type Runner, run } from "graphile-worker";
import pg from "pg";
import { z } from "zod";
import { poolConfig } from "../db/client";
import type { Context } from "./context";
import { convergeVm } from "./converge";

/** VMs converged at the same time by one console; each holds a database connection. */
export const workerConcurrency = 8;

/** How long to wait before taking up work again after the database was away. */
const restartDelayMs = 500;

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
  let isStopping = false;
  let runner: Runner | undefined;

  async function runOnce(): Promise<void> {
    const pgPool = new pg.Pool({ ...poolConfig(settings), max: workerConcurrency + 2 });
    pgPool.on("error", (err) => log.warn({ err }, "job queue lost a connection"));
    try {
      runner = await run({
        pgPool,
        concurrency: workerConcurrency,
        noHandleSignals: true,
        pollInterval: 2_000,
        logger: quietLogger(log),
        taskList: {
          converge: async (payload) => convergeVm(context, jobSchema.parse(payload).vmId),
        },
      });
      await runner.promise;
    } finally {
      runner = undefined;
      await pgPool.end();
    }
  }

  async function runForever(): Promise<void> {
    while (!isStopping) {
      try {
        await runOnce();
      } catch (err) {
        if (isStopping) return;
        log.warn({ err }, "job queue stopped; starting it again");
        await new Promise((resolve) => setTimeout(resolve, restartDelayMs));
      }
    }
  }

  const running = runForever();
  return {
    stop: async () => {
      isStopping = true;
      await runner?.stop();
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
