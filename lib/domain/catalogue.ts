import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";
import { byteSizeSchema } from "./byteSize";
import { imageNameSchema, imageOsSchema, loginUserSchema } from "./image";

/** An address of an image or of what belongs to it. The catalogue's own are https; only a mirror may be anything else. */
const publishedUrlSchema = z.url({ protocol: /^https$/ }).max(1024);

export const checksumAlgorithmSchema = z.enum(["sha256", "sha512"]);
export type ChecksumAlgorithm = z.infer<typeof checksumAlgorithmSchema>;

/**
 * How a maker publishes checksums:
 *
 *     list    a line for each file, as sha256sum writes it: `HASH  name`, `HASH *name` (SHA256SUMS, SHA512SUMS), or in BSD style:
 *             `SHA256 (name) = HASH` (CHECKSUM), perhaps within a PGP signed message
 *     single  a file for one image alone, whose first word is the hash (`.sha256`, `.SHA256`, `.sha512`)
 */
export const checksumFormatSchema = z.enum(["list", "single"]);

export const publishedChecksumSchema = z.strictObject({
  url: publishedUrlSchema,
  algorithm: checksumAlgorithmSchema,
  format: checksumFormatSchema,
});
export type PublishedChecksum = z.infer<typeof publishedChecksumSchema>;

/** One architecture's file of a system in the catalogue's data file. */
const catalogueFileImageSchema = z.strictObject({
  /** What it boots with; the first is what a VM has unless it is asked otherwise. */
  firmwares: z.array(firmwareSchema).min(1),
  url: publishedUrlSchema,
  checksum: publishedChecksumSchema,
  /** About how much there is to download: makers publish new builds of other sizes under one address. */
  downloadBytes: byteSizeSchema,
});

/** One system in the catalogue's data file, with its images by architecture. */
const catalogueSystemSchema = z.strictObject({
  name: imageNameSchema,
  /** Further names that find it: "ubuntu_22.04". */
  aliases: z.array(imageNameSchema).default([]),
  title: z.string().min(1).max(120),
  description: z.string().max(500).default(""),
  os: imageOsSchema,
  /** The day its maker's free support ends, where the maker has named one. */
  endOfLife: z.iso.date().nullable(),
  /** The user that the image makes for the SSH key. */
  loginUser: loginUserSchema,
  minDiskBytes: byteSizeSchema,
  minMemoryBytes: byteSizeSchema,
  images: z.partialRecord(archSchema, catalogueFileImageSchema),
});

/** One image that may be added: a system for an architecture. */
export const catalogueEntrySchema = catalogueSystemSchema
  .omit({ images: true })
  .extend({ id: z.string(), arch: archSchema, ...catalogueFileImageSchema.shape })
  .meta({ id: "CatalogueEntry" });
export type CatalogueEntry = z.infer<typeof catalogueEntrySchema>;

/** The whole data file, read to one entry for each system and architecture. Names and aliases are of one system alone. */
export const catalogueSchema = z
  .array(catalogueSystemSchema)
  .superRefine((systems, context) => {
    const taken = new Set<string>();
    for (const [index, { name, aliases }] of systems.entries()) {
      for (const word of [name, ...aliases]) {
        if (taken.has(word)) context.addIssue({ code: "custom", path: [index], message: `"${word}" is there twice.` });
        taken.add(word);
      }
    }
  })
  .transform((systems) =>
    systems.flatMap(({ images, ...system }) =>
      archSchema.options.flatMap((arch): CatalogueEntry[] => {
        const image = images[arch];
        return image ? [{ ...system, ...image, arch, id: `${system.name}-${arch}` }] : [];
      }),
    ),
  );

/** The catalogue of a host. */
export const readCatalogueSchema = z.object({
  entries: z.array(catalogueEntrySchema),
  /** What is wrong with which of the administrator's own files. */
  problems: z.array(z.string()),
});
export type Catalogue = z.infer<typeof readCatalogueSchema>;

/** The address of the same file at a mirror: `https://host/path` becomes `MIRROR/host/path`. @param mirror null: the maker's own */
export function mirroredUrl(url: string, mirror: string | null): string {
  if (mirror === null) return url;
  const { host, pathname, search } = new URL(url);
  return `${mirror.replace(/\/+$/, "")}/${host}${pathname}${search}`;
}
