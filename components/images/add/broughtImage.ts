import type { z } from "zod";
import type { Arch, Firmware } from "../../../lib/domain/arch";
import type { FieldErrors } from "../../../lib/domain/errors";
import type { ImageKind } from "../../../lib/domain/image";
import { isIsoName, uploadImageSchema } from "../../../lib/domain/imageRequest";
import { plainWords } from "../../../lib/domain/plainWords";

/** What a form holds of an image that somebody brings: texts as typed. */
export interface BroughtImage {
  name: string;
  title: string;
  kind: ImageKind;
  arch: Arch;
  firmware: Firmware;
  minMemory: string;
  loginUser: string;
  checksum: string;
}

/** The same while nobody has chosen the architecture. */
export type TypedImage = Omit<BroughtImage, "arch"> & { arch: Arch | null };

export const emptyBroughtImage: TypedImage = {
  name: "",
  title: "",
  kind: "disk",
  arch: null,
  firmware: "bios",
  minMemory: "",
  loginUser: "",
  checksum: "",
};

/** With the host's own architecture where none was chosen: one that is emulated is nothing to get unasked. */
export function broughtImageOf(typed: TypedImage, hostArch: Arch | undefined): BroughtImage {
  return { ...typed, arch: typed.arch ?? hostArch ?? "x86_64" };
}

export type BroughtRequest = Omit<z.input<typeof uploadImageSchema>, "fileName">;

/** What the API is told: without what was left empty, and without what means nothing for the kind. */
export function broughtRequestOf(image: BroughtImage): BroughtRequest {
  const { name, title, kind, arch, firmware, minMemory, loginUser, checksum } = image;
  return {
    name: name.trim(),
    kind,
    arch,
    firmware: arch === "aarch64" ? "uefi" : firmware,
    ...(title.trim() && { title: title.trim() }),
    ...(minMemory.trim() && { minMemory: minMemory.trim() }),
    ...(kind === "disk" && loginUser.trim() && { loginUser: loginUser.trim() }),
    ...(checksum.trim() && { checksum: checksum.trim() }),
  };
}

/** The same as the query of an upload. */
export function uploadQueryOf(fileName: string, image: BroughtImage): URLSearchParams {
  const query = new URLSearchParams({ fileName });
  for (const [field, value] of Object.entries(broughtRequestOf(image))) query.set(field, String(value));
  return query;
}

/** What is wrong with the values, by field; empty when the server will take them by their form. */
export function broughtProblems(image: BroughtImage): FieldErrors {
  const problems: FieldErrors = {};
  const { error } = uploadImageSchema.safeParse({ ...broughtRequestOf(image), fileName: "any" }, { error: plainWords });
  for (const issue of error?.issues ?? []) problems[issue.path.join(".")] ??= issue.message;
  return problems;
}

/** A name from a file's: "ubuntu-24.04-server-cloudimg-amd64.img" stays but for its ending. */
export function nameFromFile(fileName: string): string {
  return fileName
    .toLowerCase()
    .replace(/(\.(img|qcow2|raw|iso|gz|xz|zst))+$/, "")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 63);
}

/** What a file's name tells of the image. */
export function guessFromFile(fileName: string): Partial<TypedImage> {
  const isArm = /aarch64|arm64/i.test(fileName);
  return {
    name: nameFromFile(fileName),
    kind: isIsoName(fileName) ? "iso" : "disk",
    ...(isArm && { arch: "aarch64" }),
    ...(/x86_64|amd64/i.test(fileName) && { arch: "x86_64" }),
  };
}
