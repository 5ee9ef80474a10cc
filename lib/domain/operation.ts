import * as z from "zod";

export const operationKinds = [
  "create",
  "start",
  "stop",
  "shutdown",
  "reboot",
  "reset",
  "pause",
  "resume",
  "resize",
  "rename",
  "destroy",
  "crash",
  "guest-shutdown",
] as const;

/** Something that was asked for or that happened: a row of the Activity page. */
export const operationSchema = z
  .object({
    id: z.number().int(),
    kind: z.enum(operationKinds),
    status: z.enum(["pending", "running", "done", "failed", "superseded"]),
    /** 0–100. */
    progress: z.number().int().min(0).max(100),
    /** What is being done, or what came out, in a sentence. */
    message: z.string().nullable(),
    error: z.string().nullable(),
    vm: z.object({ id: z.number().int(), name: z.string() }).nullable(),
    /** Who asked: a user's name, `token NAME`, or `system`. */
    actor: z.string(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Operation" });
export type Operation = z.infer<typeof operationSchema>;
export type OperationKind = Operation["kind"];
