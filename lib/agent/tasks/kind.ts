import type { z } from "zod";
import type { TaskReport } from "../../domain/task";
import type { Settings } from "../../env";
import type { Hypervisor } from "../../hypervisor/hypervisor";
import type { UploadDesk } from "../uploads";

/** What a task works with. */
export interface TaskCall {
  operationId: number;
  /** A name of this task alone, the same when it is run again. */
  task: string;
  settings: Settings;
  hypervisor: Hypervisor;
  report: TaskReport;
  /** Where the task finds the file that a request brings for its operation. */
  uploads: UploadDesk;
  /** Aborted when the task is cancelled, and when the agent stops: the task is then run again at the agent's next start. */
  signal: AbortSignal;
}

/**
 * A kind of long work. `run` may be called again with the same id after a crash anywhere in it: it goes on with what it finds, or begins
 * anew. When it rejects, nothing of it is left.
 */
export interface TaskKind<Params = unknown> {
  params: z.ZodType<Params>;
  /**
   * With which others it takes turns. `heavy`: it takes much of the host's processors and memory, and few of these go on at once. A function: it goes on one by
   * one with those of which the same is answered.
   */
  turns?: "heavy" | ((params: Params) => string);
  /** @returns what came out, as plain JSON */
  run(params: Params, call: TaskCall): Promise<unknown>;
}

/** Any kind, for tables of them. */
// biome-ignore lint/suspicious/noExplicitAny: each kind has its own parameters, which its own schema has checked.
export type AnyTaskKind = TaskKind<any>;

/** Defines a kind, with the parameters' type taken from their schema. */
export function taskKind<Params>(kind: TaskKind<Params>): TaskKind<Params> {
  return kind;
}
