import * as z from "zod";
import { type Arch, archSchema, firmwareSchema } from "./arch";
import { byteSizeSchema } from "./byteSize";
import { lineSchema, textSchema } from "./humanText";
import { type ImageManifest, imageKindSchema, imageNameSchema, loginUserSchema } from "./image";
import { checksumSchema, type ImportedImage, type importedImageSchema } from "./imageImport";
import { recipeSchema } from "./recipe";

/** Images that a host can make from its distribution's packages. */
export const buildableImages = ["debian-12", "mini"] as const;
export type BuildableImage = (typeof buildableImages)[number];

/** Further names that find them, as the catalogue has them for its own. */
const builtAliases: Record<BuildableImage, readonly string[]> = {
  "debian-12": ["debian_12", "debian-bookworm"],
  mini: [],
};

/** The names that find an image beside its own. One that an older version built has those that this one gives, too. */
export function aliasesOf({ name, source, aliases }: Pick<ImageManifest, "name" | "source" | "aliases">): string[] {
  const built = source.type === "built" ? buildableImages.find((one) => one === name) : undefined;
  return built === undefined ? aliases : [...builtAliases[built]];
}

/** What somebody who brings an image may say of it. */
const broughtFields = {
  name: imageNameSchema,
  title: lineSchema(120, "Give a title.").optional(),
  description: textSchema(500).optional(),
  kind: imageKindSchema
    .optional()
    .meta({ description: "A disk to start from, or an ISO to boot from; by the file's name when not given." }),
  arch: archSchema.optional().meta({ description: "The host's own when not given." }),
  firmware: firmwareSchema
    .optional()
    .meta({ description: "What VMs of it boot with unless they are asked otherwise." }),
  minMemory: byteSizeSchema.optional(),
  loginUser: loginUserSchema.optional(),
  checksum: checksumSchema
    .optional()
    .meta({ description: "`sha256:…` or `sha512:…` of the file; it is refused when it has another." }),
};

const requestFields = z.strictObject({
  catalogue: z.string().max(128).optional().meta({
    description:
      "Download: an entry's id from `GET /api/catalogue`, or its name or alias, for the host's architecture if there are several.",
  }),
  url: z.string().trim().min(1).max(2048).optional().meta({ description: "Download: any address. Needs `name`." }),
  build: z.enum(buildableImages).optional().meta({ description: "Made on this host from Debian's packages." }),
  recipe: z
    .union([z.number().int().positive(), recipeSchema])
    .optional()
    .meta({ description: "A saved recipe's id, or a whole recipe, to be applied to `base`." }),
  vm: z.number().int().positive().optional().meta({ description: "Make it from this VM's disk. Needs `name`." }),
  snapshot: z.number().int().positive().optional().meta({ description: "Make it from this snapshot. Needs `name`." }),
  base: z
    .union([z.string().min(1).max(128), z.number().int().positive()])
    .optional()
    .meta({ description: "With `recipe`: the image to change, by name or id. It stays as it is." }),
  ...broughtFields,
  name: imageNameSchema.optional(),
});

type Field = keyof z.infer<typeof requestFields>;
const described: Field[] = ["name", "title", "description"];

/** The ways to an image: what each needs and takes beside itself. */
const ways: Record<string, { needs: Field[]; takes: Field[] }> = {
  catalogue: { needs: [], takes: [] },
  url: { needs: ["name"], takes: Object.keys(broughtFields) as Field[] },
  build: { needs: [], takes: ["arch"] },
  recipe: { needs: ["base"], takes: ["base", ...described] },
  vm: { needs: ["name"], takes: described },
  snapshot: { needs: ["name"], takes: described },
};
const wayNames = Object.keys(ways);

/** `POST /api/images`: exactly one of the ways, with what belongs to it. */
export const createImageSchema = requestFields
  .superRefine((request, context) => {
    const given = Object.keys(request).filter((field) => request[field as Field] !== undefined);
    const [way, ...further] = given.filter((field) => field in ways);
    const complain = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    if (way === undefined) return complain([], `Say where the image comes from: one of ${wayNames.join(", ")}.`);
    const { needs = [], takes = [] } = ways[way] ?? {};
    for (const field of needs) if (!given.includes(field)) complain([field], `An image by ${way} needs this.`);
    for (const field of further) complain([field], `An image comes from one place, and ${way} is given already.`);
    for (const field of given) {
      if (!(field in ways) && !takes.includes(field as Field)) complain([field], `This means nothing with ${way}.`);
    }
  })
  .meta({ id: "CreateImage" });
export type CreateImage = z.infer<typeof createImageSchema>;

/** The query of `PUT /api/images/upload`, whose body is the file. */
export const uploadImageSchema = z.strictObject({
  fileName: z.string().min(1).max(255).meta({ description: "As the file is called, for people." }),
  ...broughtFields,
});
export type UploadImage = z.infer<typeof uploadImageSchema>;

/** Whether a file is an ISO by its name, packed or not. */
export function isIsoName(fileName: string): boolean {
  return /\.iso(\.(gz|xz|zst))?$/i.test(fileName);
}

/** What was said of a brought image, with what its file's name and the host say of the rest. */
export function importedImageOf(
  said: Omit<UploadImage, "fileName" | "checksum">,
  file: { name: string; hostArch: Arch },
): z.input<typeof importedImageSchema> & Pick<ImportedImage, "name"> {
  const arch = said.arch ?? file.hostArch;
  const first = said.firmware ?? (arch === "x86_64" ? "bios" : "uefi");
  return {
    name: said.name,
    title: said.title ?? null,
    description: said.description ?? "",
    kind: said.kind ?? (isIsoName(file.name) ? "iso" : "disk"),
    arch,
    // Nobody has looked whether it boots with the other one too; a VM may try.
    firmwares: arch === "x86_64" ? [first, first === "bios" ? "uefi" : "bios"] : ["uefi"],
    ...(said.minMemory !== undefined && { minMemoryBytes: said.minMemory }),
    ...(said.loginUser !== undefined && { loginUser: said.loginUser }),
  };
}
