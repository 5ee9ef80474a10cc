import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";

/**
 * What a snapshot holds of a moment.
 *
 *     crash        what was on the disk, as after pulling the plug: journals are replayed at the next boot
 *     filesystem   the same, with the guest's file systems frozen by its agent, or of a VM that was off: nothing to replay
 *     memory       disk and memory of one instant: the guest goes on where it was
 */
export const snapshotConsistencies = ["crash", "filesystem", "memory"] as const;

/** A snapshot as a host has it: whole, or not in the list. Sizes in bytes. */
export const snapshotManifestSchema = z.object({
  /** The database's id. */
  id: z.number().int().positive(),
  /** Whose disk it is of; that VM may be gone. */
  vmId: z.number().int().positive(),
  createdAt: z.iso.datetime(),
  hasMemory: z.boolean(),
  /** With memory: whether the guest's agent answered then, without which nobody sets its clock when it goes on. Null: without memory, or an older Cumulus didn't say. */
  hasGuestAgent: z.boolean().nullable().default(null),
  consistency: z.enum(snapshotConsistencies),
  /** How long the guest stood still, from QEMU's STOP and RESUME events. 0 for a VM that was off or paused. */
  pauseMs: z.number().nonnegative(),
  /** What its own layer takes on the host's disk: what deleting it frees at most. Changes when a layer below is merged into it. */
  diskBytes: z.number().int().nonnegative(),
  /** What its layer holds on top of that of the snapshots before it, so that a long chain is read as fast as a short one. */
  foldedBytes: z.number().int().nonnegative().default(0),
  /** What its memory takes on the host's disk; 0 without. */
  memoryBytes: z.number().int().nonnegative(),
  /** The disk's size as the guest sees it. */
  virtualBytes: z.number().int().positive(),
  /** The machine that it was taken of. */
  machine: z.object({
    vcpus: z.number().int().positive(),
    memoryBytes: z.number().int().positive(),
    arch: archSchema,
    firmware: firmwareSchema,
    /** The image at the bottom of its layers; null: it began empty. */
    imageSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
  }),
  /** The snapshot that the VM's disk stood on when this was taken, which may be deleted since. Null: the image. */
  parentId: z.number().int().positive().nullable(),
});
export type SnapshotManifest = z.infer<typeof snapshotManifestSchema>;

/** What a snapshot of a VM would take of the host's disk if it were taken now. */
export const snapshotCostSchema = z.object({
  /** What is kept from then on: all that the VM has written since its last snapshot. It is there already; new writes come on top. */
  diskBytes: z.number().int().nonnegative(),
  /** What its memory takes at most, if that is kept too: more than there is of it, since what a guest changes while its memory is copied is there twice. Mostly it is about as much as is in use. 0 for a VM that is off. */
  memoryBytes: z.number().int().nonnegative(),
  /** What all snapshots of the VM take now, with their memory, what several share, and what is held twice for speed. */
  keptBytes: z.number().int().nonnegative(),
});
export type SnapshotCost = z.infer<typeof snapshotCostSchema>;
