import * as z from "zod";

/** A path in a guest's file system. It is never one of the host's. */
export const guestPathSchema = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/, "Give an absolute path.");

/** An entry of a folder in a snapshot's file systems. */
export const snapshotFileSchema = z
  .object({
    name: z.string(),
    type: z.enum(["file", "folder", "link", "other"]),
    sizeBytes: z.number().int().nonnegative(),
    /** Permission bits, as in `0644`. */
    permissions: z.string(),
    modifiedAt: z.iso.datetime(),
  })
  .meta({ id: "SnapshotFile" });
export type SnapshotFile = z.infer<typeof snapshotFileSchema>;
