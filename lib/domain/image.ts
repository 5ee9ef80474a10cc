import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";

/** What lies beside an image file as `<sha256>.json`: enough to offer the image without the database. */
export const imageManifestSchema = z.object({
  /** Hash of the qcow2 file's bytes: its name on disk. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "Use a–z, 0–9, dot, dash or underscore."),
  /** For people: "Cumulus mini", "Debian 12 (bookworm)". */
  title: z.string().max(120),
  description: z.string().max(500),
  arch: archSchema,
  firmware: firmwareSchema,
  /** Bytes that the file takes. */
  fileBytes: z.number().int().positive(),
  /** The disk's size as the guest sees it: the least disk of a VM. */
  virtualBytes: z.number().int().positive(),
  minMemoryBytes: z.number().int().positive(),
  /** The user that `ssh` lines name. */
  loginUser: z.string(),
  /** For images that Cumulus builds: the hash of the recipe, so that a changed recipe is noticed. */
  recipeHash: z.string().nullable(),
  createdAt: z.iso.datetime(),
});
export type ImageManifest = z.infer<typeof imageManifestSchema>;

export const imageSchema = imageManifestSchema
  .omit({ recipeHash: true })
  .extend({
    id: z.number().int(),
    /** Live VMs whose disk is an overlay on this image. */
    vmCount: z.number().int(),
  })
  .meta({ id: "Image" });
export type Image = z.infer<typeof imageSchema>;
