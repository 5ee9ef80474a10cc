import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../domain/errors";
import type { Log } from "../log";

/** A long-running part of Cumulus. */
export interface Service {
  readonly name: string;
  /** Resolves when it does its work; rejects in a sentence when it can't. */
  start(): Promise<void>;
  /** Resolves when it has ended, with how. */
  ended(): Promise<string>;
  /** Resolves when it has ended. Idempotent; a start that is under way is broken off. */
  stop(): Promise<void>;
}

export interface RestartDelays {
  firstMs: number;
  longestMs: number;
  /** A service that ran this long counts as well: its next restart waits `firstMs` again. */
  steadyMs: number;
}

/** Resolves after that long, or rejects as soon as the signal is given. */
type Wait = (ms: number, signal: AbortSignal) => Promise<void>;
const delayUnless: Wait = (ms, signal) => delay(ms, undefined, { signal });

const usualDelays: RestartDelays = { firstMs: 500, longestMs: 10_000, steadyMs: 30_000 };

/** Keeps services running: one that ends is started again, after a wait that doubles while it keeps ending. */
export class Supervisor {
  private readonly log: Log;
  private readonly delays: RestartDelays;
  private readonly wait: Wait;
  private readonly stopping = new AbortController();
  private readonly kept: { service: Service; done: Promise<void> }[] = [];

  constructor(log: Log, delays: RestartDelays = usualDelays, wait: Wait = delayUnless) {
    this.log = log;
    this.delays = delays;
    this.wait = wait;
  }

  /** Starts a service and keeps it running from then on. Rejects when the first start fails. */
  async start(service: Service): Promise<void> {
    this.stopping.signal.throwIfAborted();
    const started = service.start();
    const entry = { service, done: started.then(() => this.keep(service)).catch(() => undefined) };
    this.kept.push(entry);
    await started;
  }

  /** Stops all services, the one started last first. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const { service, done } of this.kept.reverse()) {
      await service.stop();
      await done;
      // A restart that was under way may have got through.
      await service.stop();
    }
    this.kept.length = 0;
  }

  private async keep(service: Service): Promise<void> {
    let waitMs = this.delays.firstMs;
    while (!this.stopping.signal.aborted) {
      const startedAt = Date.now();
      const how = await service.ended();
      if (this.stopping.signal.aborted) return;
      if (Date.now() - startedAt >= this.delays.steadyMs) waitMs = this.delays.firstMs;
      this.log.warn(`${service.name} ended (${how}); starting it again in ${waitMs / 1000} s`);
      waitMs = await this.restart(service, waitMs);
    }
  }

  /** Tries until the service runs; answers what the next wait will be. */
  private async restart(service: Service, firstWaitMs: number): Promise<number> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, this.delays.longestMs)) {
      try {
        await this.wait(waitMs, this.stopping.signal);
        await service.start();
        this.log.info(`${service.name} runs again`);
        return Math.min(waitMs * 2, this.delays.longestMs);
      } catch (error) {
        if (this.stopping.signal.aborted) return waitMs;
        this.log.error({ err: error }, messageOf(error));
      }
    }
  }
}
