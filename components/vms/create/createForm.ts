import type { z } from "zod";
import type { Firmware } from "../../../lib/domain/arch";
import type { FieldErrors } from "../../../lib/domain/errors";
import type { FileContent } from "../../../lib/domain/fileContent";
import { plainWords } from "../../../lib/domain/plainWords";
import { sshPublicKeyProblem } from "../../../lib/domain/sshKey";
import { createVmSchema, type GuestFile, guestFileSchema } from "../../../lib/domain/vm";
import { type SizeChoice, sizeRequestOf, vcpusProblem } from "../size/sizeChoice";
import { atFirstBootFields, type FirstBootForm, firstBootRequestOf } from "./firstBootForm";
import type { ImageRef } from "./imageChoice";
import { linesOf } from "./linesOf";

/** A file to put into the guest, as it stands in the form. */
export interface FileDraft extends FileContent {
  /** Tells drafts apart while they are edited. */
  key: number;
  path: string;
  /** Octal; empty for the image's own choice. */
  permissions: string;
}

/** What the create page holds: texts as typed, so that what is half typed is kept. */
export interface CreateForm extends SizeChoice, FirstBootForm {
  name: string;
  image: ImageRef | null;
  /** Names of saved keys. */
  savedKeys: string[];
  /** Public keys for this VM alone, one a line. */
  ownKeys: string;
  /** Null: as the image has it. */
  firmware: Firmware | null;
  /** A network's name; null: `default`. */
  network: string | null;
  /** An address of it; empty: the lowest that is free. */
  ipv4: string;
  /** Ids of firewalls. */
  firewalls: number[];
  userData: string;
  files: FileDraft[];
}

export type CreateRequest = z.input<typeof createVmSchema>;

/** The body of `POST /api/vms`: what the form says, without what was left empty. */
export function requestOf(form: CreateForm): CreateRequest {
  const sshKeys = [...form.savedKeys, ...linesOf(form.ownKeys)];
  const files = filesRequestOf(form);
  return {
    name: form.name,
    image: form.image ?? "",
    ...sizeRequestOf(form),
    ...(sshKeys.length > 0 && { sshKeys }),
    ...(form.firmware !== null && { firmware: form.firmware }),
    ...(form.network !== null && { network: form.network }),
    ...(form.ipv4.trim() && { ipv4: form.ipv4.trim() }),
    ...(form.firewalls.length > 0 && { firewalls: form.firewalls }),
    ...firstBootRequestOf(form),
    ...(form.userData.trim() && { userData: form.userData }),
    ...(files.length > 0 && { files }),
  };
}

function filesRequestOf({ files }: Pick<CreateForm, "files">): GuestFile[] {
  return files.map(({ path, content, encoding, permissions }) => ({
    path,
    content,
    ...(encoding === "base64" && { encoding }),
    ...(permissions.trim() && { permissions: permissions.trim() }),
  }));
}

/** The files that can be asked for as they are: one whose path is still being typed is left out. */
export function validFilesOf(form: Pick<CreateForm, "files">): GuestFile[] {
  return filesRequestOf(form).filter((file) => guestFileSchema.safeParse(file).success);
}

/** Why the own keys are none, by line; undefined when they are keys. */
function ownKeysProblem(text: string): string | undefined {
  const lines = linesOf(text);
  const problems = lines.flatMap((line, index) => {
    const problem = sshPublicKeyProblem(line);
    return problem === undefined ? [] : lines.length === 1 ? [problem] : [`Key ${index + 1}: ${problem}`];
  });
  return problems[0];
}

/** The same request, as it may stand on a screen. */
export function withoutPasswords({ password, users, ...request }: CreateRequest): CreateRequest {
  const hidden = (text: string | undefined) => text !== undefined && { password: "YOUR PASSWORD" };
  return {
    ...request,
    ...hidden(password),
    ...(users && { users: users.map(({ password: own, ...user }) => ({ ...user, ...hidden(own) })) }),
  };
}

/** What the form's values lack, by field, in the server's names for them. Empty when the server will take them by their form. */
export function problemsOf(form: CreateForm): FieldErrors {
  const problems: FieldErrors = {};
  const result = createVmSchema.safeParse(requestOf(form), { error: plainWords });
  for (const issue of result.error?.issues ?? []) {
    problems[issue.path.join(".")] ??= issue.message;
  }
  if (form.image === null) problems.image = "Choose an image.";
  if (problems.vcpus) problems.vcpus = vcpusProblem;
  const keysProblem = ownKeysProblem(form.ownKeys);
  if (keysProblem) problems.sshKeys = keysProblem;
  return atFirstBootFields(problems, form);
}
