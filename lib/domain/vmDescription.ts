import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";
import { imageOsSchema, keptLoginUserSchema } from "./image";
import { bootDeviceSchema } from "./machine";
import { networkNameSchema } from "./network";
import { sshPublicKeySchema } from "./sshKey";
import { MIB } from "./units";
import { diskSchema, memorySchema, vcpusSchema, vmNameSchema } from "./vm";

/** What is kept of a VM beside its disk: enough to make it again on an empty installation. Addresses are the installation's; of its network there is the name. */
export const vmDescriptionSchema = z.object({
  name: z.string(),
  vcpus: z.number().int(),
  memoryBytes: z.number().int(),
  diskBytes: z.number().int(),
  imageTitle: z.string(),
  loginUser: z.string(),
  arch: archSchema,
  firmware: firmwareSchema,
  os: z.object({ family: z.string(), release: z.string() }).nullable(),
  /** What its image asked for; null in those of before it was written down. */
  minMemoryBytes: z.number().int().positive().nullable().default(null),
  endOfLife: z.iso.date().nullable().default(null),
  bootFrom: bootDeviceSchema.default("disk"),
  /** The name of the network that its first interface is in; null in those of before it was written down. */
  network: z.string().nullable().default(null),
  sshKeys: z.array(z.object({ name: z.string(), publicKey: z.string() })),
  takenAt: z.iso.datetime(),
});
export type VmDescription = z.infer<typeof vmDescriptionSchema>;

/** The same where anybody may have written it: each part is held to what a request for a VM or an image is held to. */
const foreignVmDescriptionSchema = vmDescriptionSchema.extend({
  name: vmNameSchema,
  vcpus: vcpusSchema,
  memoryBytes: memorySchema,
  diskBytes: diskSchema,
  imageTitle: z.string().max(120),
  loginUser: keptLoginUserSchema,
  os: imageOsSchema.nullable(),
  network: networkNameSchema.nullable().default(null),
  sshKeys: z.array(z.object({ name: z.string(), publicKey: sshPublicKeySchema })).max(64),
});

/** The network of a VM that is made as it was described, where that is said. */
export const remadeNetworkSchema = networkNameSchema.optional().meta({
  description:
    "The network of the new VM, by name. When not given: the one that is called as the old VM's was, if there is one; else `default`.",
});

/** Reads a description that anybody may have written. @returns it; or, of what describes no VM, why not, to follow the file's name in a sentence */
export function readForeignDescription(text: string): { description: VmDescription } | { whyNot: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { whyNot: "is no JSON" };
  }
  const parsed = foreignVmDescriptionSchema.safeParse(value);
  if (parsed.success) return { description: parsed.data };
  const [issue] = parsed.error.issues;
  const place = issue?.path.join(".") || "it";
  return { whyNot: `describes no VM, since of ${place} it says: ${issue?.message}` };
}

/** The image that is made of a described VM's disk. @param from what the disk came in: "a backup" */
export function imageOfVm(description: VmDescription, name: string, from: string) {
  const { name: vmName, imageTitle, takenAt, arch, firmware, loginUser, os, endOfLife } = description;
  return {
    name,
    title: `${vmName} of ${takenAt.slice(0, 10)}`,
    description: `The disk of ${vmName} (${imageTitle}), from ${from}.`,
    ...{ arch, firmware, loginUser, os, endOfLife },
    minMemoryBytes: Math.min(description.memoryBytes, description.minMemoryBytes ?? 128 * MIB),
    recipeHash: null,
    source: { type: "vm" as const, vmName, snapshotName: null },
  };
}
