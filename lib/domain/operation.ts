import * as z from "zod";
import { transferSchema } from "./task";

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
  "change-media",
  "change-interfaces",
  "guest-eject",
  "image-download",
  "image-upload",
  "image-build",
  "image-customize",
  "image-capture",
  "image-remove",
  "snapshot-take",
  "snapshot-restore",
  "snapshot-remove",
  "clone",
  "export",
  "import",
  "backup",
  "backup-restore",
  "backup-remove",
] as const;

/** Something that was asked for or that happened: a row of the Activity page. */
export const operationSchema = z
  .object({
    id: z.number().int(),
    kind: z.enum(operationKinds),
    status: z.enum(["pending", "running", "done", "failed", "superseded", "cancelled"]),
    /** 0–100. */
    progress: z.number().int().min(0).max(100),
    /** What is being done, or what came out, in a sentence. */
    message: z.string().nullable(),
    error: z.string().nullable(),
    vm: z.object({ id: z.number().int(), name: z.string() }).nullable(),
    /** What it is about, where that is no VM or not the VM alone: an image's or a snapshot's name. */
    subject: z.string().nullable(),
    /** Bytes done, where bytes are what it takes. */
    transfer: transferSchema.nullable(),
    /** What came out, for kinds that make something: `{ "imageId": 3 }`. */
    result: z.record(z.string(), z.unknown()).nullable(),
    /** Whether it keeps a log (`GET /api/operations/{id}/log`), and can be cancelled while it goes on. */
    isTask: z.boolean(),
    /** Who asked: a user's name, `token NAME`, or `system`. */
    actor: z.string(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Operation" });
export type Operation = z.infer<typeof operationSchema>;
export type OperationKind = Operation["kind"];
