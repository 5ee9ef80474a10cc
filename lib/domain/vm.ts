import * as z from "zod";
import { archSchema } from "./arch";
import { byteSizeSchema } from "./byteSize";
import { sizeLimits } from "./size";
import { sshKeyNameSchema, sshPublicKeySchema } from "./sshKey";
import { timelineEntrySchema } from "./timeline";
import { formatBytes } from "./units";
import { desiredStates, observedStates, vmStatuses } from "./vmStatus";

/** A VM's name is its hostname: one DNS label (RFC 1123, section 2.1). */
export const vmNameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "Use 1–63 lower-case letters, digits and dashes, starting and ending with a letter or digit: it is the hostname.",
  );

const bytesWithin = (limits: { min: number; max: number }) =>
  byteSizeSchema.refine((bytes) => bytes >= limits.min && bytes <= limits.max, {
    message: `Must be between ${formatBytes(limits.min)} and ${formatBytes(limits.max)}.`,
  });

export const vcpusSchema = z.number().int().min(sizeLimits.vcpus.min).max(sizeLimits.vcpus.max);
export const memorySchema = bytesWithin(sizeLimits.memoryBytes);
export const diskSchema = bytesWithin(sizeLimits.diskBytes);

export const guestFileSchema = z.strictObject({
  path: z.string().regex(/^\/[^\0]{1,4094}$/, "Give an absolute path."),
  content: z.string().max(256 * 1024),
  permissions: z
    .string()
    .regex(/^0?[0-7]{3,4}$/, 'Give octal permissions, such as "0644".')
    .optional(),
  owner: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}(:[a-z_][a-z0-9_-]{0,31})?$/)
    .optional(),
});
export type GuestFile = z.infer<typeof guestFileSchema>;

/** `POST /api/vms`. Give `size`, or `vcpus`, `memory` and `disk` (each of them also overrides the size's). */
export const createVmSchema = z
  .strictObject({
    name: vmNameSchema,
    /** An image's name or id. */
    image: z.union([z.string().min(1).max(128), z.number().int().positive()]),
    size: z.string().max(64).optional(),
    vcpus: vcpusSchema.optional(),
    memory: memorySchema.optional(),
    disk: diskSchema.optional(),
    /** A network's name; `default` when not given. */
    network: z.string().max(63).optional(),
    /** Names of saved keys, or whole public keys. */
    sshKeys: z
      .array(z.union([sshPublicKeySchema, sshKeyNameSchema]))
      .max(64)
      .optional(),
    /** cloud-init user-data: `#cloud-config` YAML, or a script that starts with `#!`. */
    userData: z
      .string()
      .max(128 * 1024)
      .optional(),
    files: z.array(guestFileSchema).max(64).optional(),
  })
  .meta({ id: "CreateVm" });
export type CreateVm = z.infer<typeof createVmSchema>;

/** `PATCH /api/vms/{id}`: rename at any time; resize while stopped; a disk only grows. */
export const updateVmSchema = z
  .strictObject({
    name: vmNameSchema.optional(),
    size: z.string().max(64).optional(),
    vcpus: vcpusSchema.optional(),
    memory: memorySchema.optional(),
    disk: diskSchema.optional(),
  })
  .meta({ id: "UpdateVm" });
export type UpdateVm = z.infer<typeof updateVmSchema>;

export const vmSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    status: z.enum(vmStatuses).meta({ id: "VmStatus" }),
    /** Why the status is what it is, in a sentence, when there is something to say. */
    statusReason: z.string().nullable(),
    /** Since when the status is what it is. */
    statusSince: z.iso.datetime(),
    desired: z.enum(desiredStates),
    observed: z.enum(observedStates),
    observedAt: z.iso.datetime().nullable(),
    /** Whether the guest has been seen to answer in its present boot. */
    isReady: z.boolean(),
    image: z.object({ id: z.number().int(), name: z.string(), title: z.string() }),
    arch: archSchema,
    size: z.object({
      /** The named size that these values are, or null for custom ones. */
      name: z.string().nullable(),
      vcpus: z.number().int(),
      memoryBytes: z.number().int(),
      diskBytes: z.number().int(),
    }),
    network: z.object({ name: z.string(), driver: z.enum(["bridge", "user"]) }),
    ipv4: z.string(),
    mac: z.string(),
    host: z.object({ id: z.number().int(), name: z.string() }),
    /** How to reach it from the host; `command` works when pasted. */
    ssh: z.object({ user: z.string(), host: z.string(), port: z.number().int(), command: z.string() }),
    sshKeys: z.array(z.object({ name: z.string(), fingerprint: z.string() })),
    timeline: z.array(timelineEntrySchema),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Vm" });
export type Vm = z.infer<typeof vmSchema>;
