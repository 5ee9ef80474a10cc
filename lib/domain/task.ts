import * as z from "zod";

/** How much of a download, upload or copy is done. `totalBytes` is null where nobody said how much there is. */
export const transferSchema = z.object({
  doneBytes: z.number().int().nonnegative(),
  totalBytes: z.number().int().nonnegative().nullable(),
  /** Over the last seconds; null until it is known. */
  bytesPerSecond: z.number().nonnegative().nullable(),
});
export type Transfer = z.infer<typeof transferSchema>;

/** What a long piece of work tells while it goes on. Neither call throws or waits. */
export interface TaskReport {
  /** @param percent 0–100; what is lower than before is taken as it is @param message what is being done, in a few words */
  progress(percent: number, message: string, transfer?: Transfer): void;
  /** A line for whoever watches the work: a tool's output, a decision. */
  log(line: string): void;
}

/** A long piece of work of a host's agent, by the id of the operation that asked for it. */
export const taskStateSchema = z.object({
  id: z.number().int().positive(),
  kind: z.string(),
  status: z.enum(["running", "done", "failed", "cancelled"]),
  percent: z.number().min(0).max(100),
  message: z.string().nullable(),
  transfer: transferSchema.nullable(),
  /** What came out, in the kind's own shape; null unless `done`. */
  result: z.unknown(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** Grows with every change of the above, so that a follower can wait for the next. */
  version: z.number().int().nonnegative(),
});
export type TaskState = z.infer<typeof taskStateSchema>;
