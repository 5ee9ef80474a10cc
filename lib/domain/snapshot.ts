import * as z from "zod";
import { lineSchema, textSchema } from "./humanText";
import { type SnapshotManifest, snapshotManifestSchema } from "./snapshotManifest";

export type { SnapshotManifest };

/** Who wanted a snapshot: a person, a schedule, a person who backed the VM up, a clone of the VM (hidden, gone with the clone's first start), or a restore that kept what it replaced. */
export const snapshotOrigins = ["user", "schedule", "backup", "clone", "safety"] as const;
export type SnapshotOrigin = (typeof snapshotOrigins)[number];

export const snapshotNameSchema = lineSchema(100);

/** `POST /api/vms/{id}/snapshots`. */
export const takeSnapshotSchema = z
  .strictObject({
    /** Made from the time when not given. */
    name: snapshotNameSchema.optional(),
    note: textSchema(2000).optional(),
    /** Also what is in memory: the VM then goes on where it was. Only of a VM that runs. */
    memory: z.boolean().optional(),
  })
  .meta({ id: "TakeSnapshot" });
export type TakeSnapshot = z.infer<typeof takeSnapshotSchema>;

/** `PATCH /api/snapshots/{id}`. */
export const updateSnapshotSchema = z
  .strictObject({ name: snapshotNameSchema.optional(), note: takeSnapshotSchema.shape.note })
  .meta({ id: "UpdateSnapshot" });
export type UpdateSnapshot = z.infer<typeof updateSnapshotSchema>;

/** `POST /api/snapshots/{id}/restore`. */
export const restoreSnapshotSchema = z
  .strictObject({
    /** First takes a snapshot of what is replaced: with memory when the VM runs. */
    safetySnapshot: z.boolean().optional(),
    /** False: the disk alone, of a snapshot that has memory, too. Memory comes back where there is some unless this says otherwise. */
    memory: z.boolean().optional(),
  })
  .meta({ id: "RestoreSnapshot" });
export type RestoreSnapshot = z.infer<typeof restoreSnapshotSchema>;

export const snapshotSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    note: z.string(),
    /** `deleted` is the VM's: a snapshot outlives it. */
    vm: z.object({ id: z.number().int(), name: z.string(), deleted: z.boolean() }),
    status: z.enum(["creating", "available", "deleting"]),
    origin: z.enum(snapshotOrigins),
    hasMemory: z.boolean(),
    /** With memory: whether the guest's agent answered when it was taken, without which nobody sets its clock when it goes on. Null: not known, or no memory. */
    hasGuestAgent: z.boolean().nullable(),
    /** What it holds: an instant as after pulling the plug; with the guest's file systems frozen; with memory. Null until it is there. */
    consistency: snapshotManifestSchema.shape.consistency.nullable(),
    /** How long the guest stood still; null until it is there. */
    pauseMs: z.number().nullable(),
    /** What deleting it would free at most. */
    diskBytes: z.number().int().nullable(),
    /** What it holds on top of that of the snapshots before it, so that a long chain is read as fast as a short one. */
    foldedBytes: z.number().int().nullable(),
    memoryBytes: z.number().int().nullable(),
    /** The disk's size as the guest sees it. */
    virtualBytes: z.number().int().nullable(),
    /** The snapshot it came from: the tree. */
    parentId: z.number().int().nullable(),
    /** Whether its VM's disk builds on it now. Where that is so of none of a VM's snapshots, the disk builds on what the VM was made from. */
    isCurrent: z.boolean(),
    /** Live VMs that were made from it. */
    vmCount: z.number().int(),
    /** Those, by name. */
    vms: z.array(z.object({ id: z.number().int(), name: z.string() })),
    /** The open operation that takes it, restores it, exports or deletes it. */
    operationId: z.number().int().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Snapshot" });
export type Snapshot = z.infer<typeof snapshotSchema>;
