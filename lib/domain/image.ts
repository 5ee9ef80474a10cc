import * as z from "zod";
import { archSchema, type Firmware, firmwareSchema } from "./arch";

/** How an image is asked for by name. */
export const imageNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "Use a–z, 0–9, dot, dash or underscore.");

/** A disk that VMs start from, or a CD-ROM (ISO 9660) that one may boot from. */
export const imageKindSchema = z.enum(["disk", "iso"]);
export type ImageKind = z.infer<typeof imageKindSchema>;

/** The operating system's family and release, for badges and icons: "debian", "12". */
export const imageOsSchema = z.object({ family: z.string().max(40), release: z.string().max(40) });

/** The user whom an image lets log in. It stands in command lines that people paste, so that it must be nothing but a name. */
export const loginUserSchema = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "Use a Linux user's name.");

/** The same where it was written down before such names were asked for, "Administrator" say: still nothing but a name. */
export const keptLoginUserSchema = z.string().regex(/^[A-Za-z_][\w.-]{0,31}$/, "It is no user's name.");

/** Where an image came from. */
export const imageSourceSchema = z.discriminatedUnion("type", [
  /** Made on this host from the distribution's packages. */
  z.object({ type: z.literal("built") }),
  /** An entry of the catalogue, as it was published then. */
  z.object({ type: z.literal("catalogue"), catalogueId: z.string(), url: z.string(), checksum: z.string() }),
  z.object({ type: z.literal("url"), url: z.string() }),
  z.object({ type: z.literal("upload"), fileName: z.string().max(255) }),
  /** A VM's or a snapshot's disk, flattened. */
  z.object({ type: z.literal("vm"), vmName: z.string(), snapshotName: z.string().nullable() }),
  /** Another image with a recipe's changes. */
  z.object({
    type: z.literal("recipe"),
    baseSha256: z.string(),
    /** Null where it was not written down. */
    baseName: z.string().nullable().default(null),
    recipe: z.string(),
  }),
]);
export type ImageSource = z.infer<typeof imageSourceSchema>;

/** What lies beside an image file as `<sha256>.<name>.json`: enough to offer the image without the database. */
export const imageManifestSchema = z.object({
  /** Hash of the file's bytes: its name on disk, before `.qcow2` or `.iso`. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: imageNameSchema,
  /** For people: "Cumulus mini", "Debian 12 (bookworm)". */
  title: z.string().max(120),
  description: z.string().max(500),
  kind: imageKindSchema.default("disk"),
  arch: archSchema,
  /** What a VM of it has unless it is asked otherwise. */
  firmware: firmwareSchema,
  /** All that it boots with; empty for `firmware` alone. */
  firmwares: z.array(firmwareSchema).default([]),
  /** Bytes that the file takes. */
  fileBytes: z.number().int().positive(),
  /** The least disk of a VM: the size of the image's as the guest sees it, or more where its maker asks for it. For an ISO, as large as its file. */
  virtualBytes: z.number().int().positive(),
  minMemoryBytes: z.number().int().positive(),
  /** The user that `ssh` lines name. */
  loginUser: keptLoginUserSchema,
  /** For images that Cumulus builds: the hash of the recipe, so that a changed recipe is noticed. */
  recipeHash: z.string().nullable(),
  /** The UEFI variables (`<this>.vars` beside it) from which a VM with UEFI gets its own; null: it starts with empty ones. */
  variablesSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
  /** Null where nobody said. */
  os: imageOsSchema.nullable().default(null),
  /** The day its maker stops mending it (`2028-06-30`). */
  endOfLife: z.iso.date().nullable().default(null),
  /** Further names that find it: "ubuntu_22.04". */
  aliases: z.array(z.string().max(64)).default([]),
  source: imageSourceSchema.default({ type: "built" }),
  createdAt: z.iso.datetime(),
});
export type ImageManifest = z.infer<typeof imageManifestSchema>;

/** By which recipe a host builds an image now. */
export const presentRecipeSchema = z.object({ name: imageNameSchema, arch: archSchema, recipeHash: z.string() });
export type PresentRecipe = z.infer<typeof presentRecipeSchema>;

/** Whether an image that was built would be built otherwise now. False where nobody wrote down by which recipe it was. */
export function isRecipeChanged(image: ImageManifest, present: readonly PresentRecipe[]): boolean {
  const { name, arch, source, recipeHash } = image;
  const recipe = present.find((one) => one.name === name && one.arch === arch);
  return source.type === "built" && recipeHash !== null && recipe !== undefined && recipe.recipeHash !== recipeHash;
}

/** What tells one image of a host from the others: a name for a file. Images of the same bytes share the file. */
export type ImageIdentity = Pick<ImageManifest, "sha256" | "name">;

/** What a VM of an image can boot with. An installer on an ISO knows both, as far as the machine has them. */
export function firmwaresOf(image: Pick<ImageManifest, "kind" | "arch" | "firmware" | "firmwares">): Firmware[] {
  if (image.kind === "iso") return image.arch === "x86_64" ? ["bios", "uefi"] : ["uefi"];
  return image.firmwares.length > 0 ? image.firmwares : [image.firmware];
}

export const imageSchema = imageManifestSchema
  .omit({ recipeHash: true })
  .extend({
    id: z.number().int(),
    /** Live VMs whose disk is an overlay on this image; of an ISO, those that have it in their drive. */
    vmCount: z.number().int(),
    /** Snapshots that hold on to it, those of VMs that are gone included. */
    snapshotCount: z.number().int(),
    /** The newest image of the same name and architecture, where that is another one: this one is out of date. */
    newerId: z.number().int().nullable(),
    /** Of an image that a recipe made: a newer build of what it was made from, on which the recipe can run again; null for none. */
    newerBaseId: z.number().int().nullable(),
    /**
     * Why a newer one could be had that is not here: this version of Cumulus builds it by another `recipe`, its maker has `published` another build since,
     * as far as it was asked, or it was built here at an `age` at which its packages have been mended since. Null for none of them.
     */
    newerBuild: z.enum(["recipe", "published", "age"]).nullable(),
  })
  .meta({ id: "Image" });
export type Image = z.infer<typeof imageSchema>;

/** What tells whether there is a newer one. */
export type OutOfDate = Pick<Image, "newerId" | "newerBuild" | "newerBaseId">;

/** Whether there is a newer one, here or to be had. */
export function isOutOfDate({ newerId, newerBuild, newerBaseId }: OutOfDate): boolean {
  return newerId !== null || newerBuild !== null || newerBaseId !== null;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Debian mends the kernel alone about once a month (https://lists.debian.org/debian-security-announce). */
const freshDays = 30;

/** Whether an image that was built of packages is so old that they lack what was mended since. */
export function isBuiltLongAgo({ createdAtMs, nowMs }: { createdAtMs: number; nowMs: number }): boolean {
  return nowMs - createdAtMs > freshDays * dayMs;
}

/** Whether its maker no longer mends it. */
export function isPastEndOfLife({ endOfLife }: Pick<Image, "endOfLife">, nowMs: number): boolean {
  return endOfLife !== null && Date.parse(endOfLife) + dayMs <= nowMs;
}
