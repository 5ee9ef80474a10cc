import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";
import { byteSizeSchema } from "./byteSize";
import { fileContentShape, refuseBadContent } from "./fileContent";
import { firstBootInputSchema } from "./firstBoot";
import { firstBootProblemSchema, firstBootStageSchema } from "./firstBootReport";
import { imageKindSchema } from "./image";
import { chosenMacSchema } from "./mac";
import { bootDeviceSchema, networkDriverSchema } from "./machine";
import { routerName } from "./network";
import { sizeLimits } from "./size";
import { sshKeyNameSchema, sshPublicKeySchema } from "./sshKey";
import { timelineEntrySchema } from "./timeline";
import { formatBytes } from "./units";
import { desiredStates, observedStates, vmStatuses } from "./vmStatus";

/** How long a guest has to follow the power button, or to restart when it is asked to, before it is turned off or reset. */
export const defaultShutdownDeadlineSeconds = 60;

/** A VM's name is its hostname: one DNS label (RFC 1123, section 2.1). */
export const vmNameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "Use 1–63 lower-case letters, digits and dashes, starting and ending with a letter or digit: it is the hostname.",
  )
  .refine((name) => name !== routerName, `"${routerName}" is the name of the router in each network. Choose another.`);

const bytesWithin = (limits: { min: number; max: number }) =>
  byteSizeSchema.refine((bytes) => bytes >= limits.min && bytes <= limits.max, {
    message: `Must be between ${formatBytes(limits.min)} and ${formatBytes(limits.max)}.`,
  });

export const vcpusSchema = z.number().int().min(sizeLimits.vcpus.min).max(sizeLimits.vcpus.max);
export const memorySchema = bytesWithin(sizeLimits.memoryBytes);
export const diskSchema = bytesWithin(sizeLimits.diskBytes);

export const guestFileSchema = z
  .strictObject({
    path: z.string().regex(/^\/[^\0]{1,4094}$/, "Give an absolute path."),
    ...fileContentShape,
    permissions: z
      .string()
      .regex(/^0?[0-7]{3,4}$/, 'Give octal permissions, such as "0644".')
      .optional(),
    owner: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}(:[a-z_][a-z0-9_-]{0,31})?$/)
      .optional(),
  })
  .superRefine(refuseBadContent);
export type GuestFile = z.infer<typeof guestFileSchema>;

/** `POST /api/vms`. Give `image` or `snapshot`, and `size`, or `vcpus`, `memory` and `disk` (each of them also overrides the size's). */
export const createVmSchema = z
  .strictObject({
    name: vmNameSchema.meta({ description: "Also its hostname." }),
    image: z
      .union([z.string().min(1).max(128), z.number().int().positive()])
      .optional()
      .meta({
        description: "An image's name or id. Of an ISO, the VM has an empty disk, and the disc in its drive.",
      }),
    snapshot: z
      .number()
      .int()
      .positive()
      .max(2 ** 31 - 1)
      .optional()
      .meta({
        description:
          "Instead of an image: the id of a snapshot, whose disk it starts from. The shape is then that of the snapshot's VM, unless given.",
      }),
    size: z
      .string()
      .max(64)
      .optional()
      .meta({ description: "A size's name; needless when vcpus, memory and disk are given." }),
    vcpus: vcpusSchema.optional().meta({ description: "Instead of the size's." }),
    memory: memorySchema.optional().meta({ description: 'Instead of the size\'s: bytes, or text such as "512M".' }),
    disk: diskSchema.optional().meta({ description: 'Instead of the size\'s: bytes, or text such as "10G".' }),
    network: z.string().max(63).optional().meta({ description: "A network's name; `default` when not given." }),
    ipv4: z.ipv4().optional().meta({
      description:
        "An address of that network which is free, or reserved with a MAC; the lowest free one when not given.",
    }),
    mac: chosenMacSchema.optional().meta({
      description: "Of its interface there; the one that is reserved with the address, or any, when not given.",
    }),
    firewalls: z
      .array(z.number().int().positive())
      .max(16)
      .optional()
      .meta({ description: "Ids of firewalls that it has from the start." }),
    sshKeys: z
      .array(z.union([sshPublicKeySchema, sshKeyNameSchema]))
      .max(64)
      .optional()
      .meta({ description: "Names of saved keys, or whole public keys." }),
    userData: z
      .string()
      .max(128 * 1024)
      .optional()
      .meta({ description: "cloud-init user-data: `#cloud-config` YAML, or a script that starts with `#!`." }),
    files: z.array(guestFileSchema).max(64).optional().meta({ description: "Written in the guest at its first boot." }),
    firmware: firmwareSchema
      .optional()
      .meta({ description: "One that the image boots with; its first when not given." }),
    ...firstBootInputSchema.shape,
  })
  .meta({ id: "CreateVm" });
export type CreateVm = z.infer<typeof createVmSchema>;

/** `POST /api/vms/{id}/clone`. */
export const cloneVmSchema = z.strictObject({ name: vmNameSchema }).meta({ id: "CloneVm" });
export type CloneVm = z.infer<typeof cloneVmSchema>;

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

/** `PUT /api/vms/{id}/cdrom`: what is left out stays as it is. */
export const changeCdromSchema = z
  .strictObject({
    /** The name or id of an image of kind `iso`; null: eject. */
    image: z
      .union([z.string().min(1).max(128), z.number().int().positive()])
      .nullable()
      .optional(),
    bootFrom: bootDeviceSchema.optional(),
  })
  .refine(({ image, bootFrom }) => image !== undefined || bootFrom !== undefined, "Give an image, bootFrom, or both.")
  .meta({ id: "ChangeCdrom" });
export type ChangeCdrom = z.infer<typeof changeCdromSchema>;

/** How the guest set itself up; the parts are cloud-init's where it has that. */
export const vmFirstBootSchema = z
  .object({
    stages: z.array(
      z.object({
        stage: firstBootStageSchema,
        at: z.iso.datetime(),
        /** As in the timeline. */
        sinceStartMs: z.number().int().nullable(),
      }),
    ),
    warnings: z.array(firstBootProblemSchema),
    /** Modules that failed: the VM is then ready with errors. */
    errors: z.array(firstBootProblemSchema),
  })
  .meta({ id: "VmFirstBoot" });
export type VmFirstBoot = z.infer<typeof vmFirstBootSchema>;

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
    /** Whether the guest has been seen to answer in its present boot; of a VM that was made from an ISO, whether it is on. */
    isReady: z.boolean(),
    image: z.object({ id: z.number().int(), name: z.string(), title: z.string(), kind: imageKindSchema }),
    /**
     * What its disk began as, where that was not the image: a snapshot, or with null for that a VM that it is a clone of. Both may be gone since; `vm` is whose
     * snapshot it was.
     */
    madeFrom: z
      .object({
        snapshot: z.object({ id: z.number().int(), name: z.string(), deleted: z.boolean() }).nullable(),
        vm: z.object({ id: z.number().int(), name: z.string(), deleted: z.boolean() }),
      })
      .nullable(),
    arch: archSchema,
    /** Its processor is another than its host's: all of it is emulated in software, and slow. */
    isEmulated: z.boolean(),
    firmware: firmwareSchema,
    /** The ISO that is to be in its CD-ROM drive. */
    cdrom: z.object({ id: z.number().int(), name: z.string(), title: z.string() }).nullable(),
    /** Whether another disc, or none, was seen in the drive as yet. */
    isCdromChanging: z.boolean(),
    bootFrom: bootDeviceSchema,
    size: z.object({
      /** The named size that these values are, or null for custom ones. */
      name: z.string().nullable(),
      vcpus: z.number().int(),
      memoryBytes: z.number().int(),
      diskBytes: z.number().int(),
    }),
    network: z.object({
      name: z.string(),
      /** How it is connected while it runs, and else how it will be. */
      driver: networkDriverSchema,
      /** How it will be from its next start on, where that is another way; null: the same. */
      nextDriver: networkDriverSchema.nullable(),
    }),
    ipv4: z.string(),
    mac: z.string(),
    host: z.object({ id: z.number().int(), name: z.string() }),
    /** How to reach it from the host; `command` works when pasted. */
    ssh: z.object({
      user: z.string(),
      host: z.string(),
      port: z.number().int(),
      /** For `ssh` and `scp`: the VM's own name among known hosts, and trust in its key at the first connection. */
      options: z.string(),
      command: z.string(),
    }),
    sshKeys: z.array(z.object({ name: z.string(), fingerprint: z.string() })),
    timeline: z.array(timelineEntrySchema),
    firstBoot: vmFirstBootSchema,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Vm" });
export type Vm = z.infer<typeof vmSchema>;
