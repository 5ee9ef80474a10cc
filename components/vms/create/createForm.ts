import type { z } from "zod";
import type { FieldErrors } from "../../../lib/domain/errors";
import { type Size, sizeLimits } from "../../../lib/domain/size";
import { parseBytes } from "../../../lib/domain/units";
import { createVmSchema } from "../../../lib/domain/vm";

/** A file to put into the guest, as it stands in the form. */
export interface FileDraft {
  /** Tells drafts apart while they are edited. */
  key: number;
  path: string;
  content: string;
  /** Octal; empty for the image's own choice. */
  permissions: string;
}

/** What the create page holds: texts as typed, so that what is half typed is kept. */
export interface CreateForm {
  name: string;
  /** The image's name. */
  image: string | null;
  /** A size's name, or null for the custom values. */
  size: string | null;
  custom: { vcpus: string; memory: string; disk: string };
  /** Names of saved keys. */
  savedKeys: string[];
  /** Public keys for this VM alone. */
  ownKeys: string[];
  userData: string;
  files: FileDraft[];
}

export type CreateRequest = z.input<typeof createVmSchema>;

export interface Shape {
  vcpus: number;
  memoryBytes: number;
  diskBytes: number;
}

/** The quantities that are chosen; null while a custom value is none. */
export function shapeOf(form: Pick<CreateForm, "size" | "custom">, sizes: readonly Size[]): Shape | null {
  if (form.size !== null) return sizes.find((size) => size.name === form.size) ?? null;
  const vcpus = vcpusOf(form.custom.vcpus);
  const memoryBytes = parseBytes(form.custom.memory);
  const diskBytes = parseBytes(form.custom.disk);
  if (vcpus === undefined || memoryBytes === undefined || diskBytes === undefined) return null;
  return { vcpus, memoryBytes, diskBytes };
}

/** The body of `POST /api/vms`: what the form says, without what was left empty. */
export function requestOf(form: CreateForm): CreateRequest {
  const sshKeys = [...form.savedKeys, ...form.ownKeys];
  const files = form.files.map(({ path, content, permissions }) => ({
    path,
    content,
    ...(permissions.trim() && { permissions: permissions.trim() }),
  }));
  return {
    name: form.name,
    image: form.image ?? "",
    ...(form.size === null
      ? { vcpus: vcpusOf(form.custom.vcpus) ?? 0, memory: form.custom.memory.trim(), disk: form.custom.disk.trim() }
      : { size: form.size }),
    ...(sshKeys.length > 0 && { sshKeys }),
    ...(form.userData.trim() && { userData: form.userData }),
    ...(files.length > 0 && { files }),
  };
}

/** What the form's values lack, by field, in the server's names for them. Empty when the server will take them by their form. */
export function problemsOf(form: CreateForm): FieldErrors {
  const problems: FieldErrors = {};
  const result = createVmSchema.safeParse(requestOf(form));
  for (const issue of result.error?.issues ?? []) {
    problems[issue.path.join(".")] ??= issue.message;
  }
  if (form.image === null) problems.image = "Choose an image.";
  if (problems.vcpus) problems.vcpus = `Give a number from ${sizeLimits.vcpus.min} to ${sizeLimits.vcpus.max}.`;
  return problems;
}

function vcpusOf(text: string): number | undefined {
  return /^\s*\d{1,4}\s*$/.test(text) ? Number(text) : undefined;
}
