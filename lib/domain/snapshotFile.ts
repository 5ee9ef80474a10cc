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
    /** False: the name's bytes are no UTF-8, so that no path can name it. What can't be shown of it stands as �. */
    isOpenable: z.boolean(),
    /** Of a link: what it says, and what lies there within the guest; null: nothing, or neither. Null when it can't be read, or for links of a folder beyond the first 1000. */
    link: z.object({ target: z.string(), leadsTo: z.enum(["file", "folder"]).nullable() }).nullable(),
  })
  .meta({ id: "SnapshotFile" });
export type SnapshotFile = z.infer<typeof snapshotFileSchema>;

/** The most entries of one folder that are listed. */
export const maxListed = 10_000;

/** What is in a folder. */
export const snapshotFolderSchema = z.object({
  files: z.array(snapshotFileSchema),
  /** How many entries the folder has: more than are listed where it is very large. */
  totalCount: z.number().int(),
});
export type SnapshotFolder = z.infer<typeof snapshotFolderSchema>;
