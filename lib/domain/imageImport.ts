import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";
import { byteSizeSchema } from "./byteSize";
import { lineSchema, textSchema } from "./humanText";
import { imageKindSchema, imageNameSchema, imageOsSchema, loginUserSchema } from "./image";
import { MIB } from "./units";

/** "sha256:…" or "sha512:…" in hexadecimal digits. */
export const checksumSchema = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, "Give sha256: and 64, or sha512: and 128 hexadecimal digits.");

/** What somebody who brings an image says of it; the file can't tell. */
export const importedImageSchema = z.object({
  kind: imageKindSchema.default("disk"),
  name: imageNameSchema,
  /** Null: an ISO's own label, else the name. */
  title: lineSchema(120, "Give a title.").nullable().default(null),
  description: textSchema(500).default(""),
  arch: archSchema,
  /** What it boots with; the first is what a VM has unless it is asked otherwise. */
  firmwares: z.array(firmwareSchema).min(1),
  minMemoryBytes: byteSizeSchema.default(256 * MIB),
  loginUser: loginUserSchema.default("root"),
  os: imageOsSchema.nullable().default(null),
  endOfLife: z.iso.date().nullable().default(null),
  aliases: z.array(imageNameSchema).max(20).default([]),
});
export type ImportedImage = z.infer<typeof importedImageSchema>;

/** An image to be fetched: one of the catalogue, or any that an address names. */
export const imageDownloadSchema = z.discriminatedUnion("from", [
  z.object({ from: z.literal("catalogue"), catalogueId: z.string().max(128) }),
  z.object({
    from: z.literal("url"),
    url: z.string().trim().max(2048),
    /** What the file at the address must have; null where the maker publishes none. */
    checksum: checksumSchema.nullable().default(null),
    image: importedImageSchema,
  }),
]);
export type ImageDownload = z.infer<typeof imageDownloadSchema>;

/** An image whose file is sent here. */
export const imageUploadSchema = z.object({
  /** As it is called where it comes from: shown, and never a path. */
  fileName: z.string().min(1).max(255),
  checksum: checksumSchema.nullable().default(null),
  image: importedImageSchema,
});
export type ImageUpload = z.infer<typeof imageUploadSchema>;

/**
 * Equal for requests that one download serves, so that two people who ask for the same image at once wait for the same operation. An address
 * that is asked for under two checksums or names is two downloads: each is held to its own.
 */
export function imageDownloadKey(request: ImageDownload): string {
  if (request.from === "catalogue") return `image-download catalogue ${request.catalogueId}`;
  const url = URL.canParse(request.url) ? new URL(request.url) : null;
  if (url) url.hash = "";
  return `image-download url ${request.checksum ?? "unchecked"} ${url?.href ?? request.url} ${JSON.stringify(request.image)}`;
}
