import type { Actor, Context } from "../../control/context";
import { createLabVm, hasImage, hasNetwork, listLabVms } from "../../control/lab/vms";
import { CumulusError, messageOf } from "../../domain/errors";
import { sshPublicKeySchema } from "../../domain/sshKey";
import { diskSchema, memorySchema } from "../../domain/vm";
import type { LabBody } from "./shapes";
import { rootUserData } from "./userData";

/** What a VM is asked for, in the order in which what is missing is told. */
const needed = ["name", "image", "network", "mem_size", "disk_size"] as const;

/**
 * Checks as the lab does, key by key, and writes the VM down.
 * @returns its id
 * @throws the lab's own texts
 */
export async function createFromLab(context: Context, actor: Actor, body: LabBody): Promise<number> {
  const [name = "", image = "", network = "", memorySize, diskSize] = needed.map((key) => given(body, key));
  await refuseTaken(context, name);
  if (!(await hasNetwork(context, network))) throw refused(`network "${network}" not found`);
  const memory = sizeOf(memorySize, "mem_size", memorySchema);
  const disk = sizeOf(diskSize, "disk_size", diskSchema);
  const sshKey = sshKeyOf(body.ssh_key);
  const userData = rootUserData(sshKey, context.settings.isLab);
  const input = { image, network, vcpus: 1, memory, disk, sshKeys: sshKey ? [sshKey] : [], userData };
  try {
    return await createLabVm(context, actor, { labName: name, image }, input);
  } catch (error) {
    if (!(error instanceof CumulusError)) throw error;
    const { fields = {}, code } = error;
    const isUnknown = code === "bad_request" && fields.image !== undefined && !(await hasImage(context, image));
    if (isUnknown) throw refused(`disk template "${image}" not found`);
    const isOfDisk = fields.disk !== undefined;
    throw refused(isOfDisk ? `create disk failed: ${messageOf(error)}` : messageOf(error));
  }
}

/** The text without blanks around it. @throws when it isn't there, or is no text where it must be one */
function given(body: LabBody, key: (typeof needed)[number]): string {
  const value = trimmed(Object.hasOwn(body, key) ? body[key] : undefined);
  if (value === undefined || value === null || value === "") throw refused(`VM ${key} not provided`);
  const isSize = key === "mem_size" || key === "disk_size";
  if (typeof value === "string" && value.length <= 200 && !value.includes("\0")) return value;
  if (isSize && typeof value === "number") return String(value);
  throw invalid(key, value);
}

function trimmed(value: unknown): unknown {
  return typeof value === "string" ? value.trim() : value;
}

async function refuseTaken(context: Context, name: string): Promise<void> {
  const isTaken = (await listLabVms(context)).some((vm) => vm.name === name);
  if (isTaken) throw refused(`vm "${name}" already exists`);
}

function sizeOf(value: unknown, key: string, schema: typeof memorySchema): number {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refused(`Invalid ${key}: ${String(value).slice(0, 100)}`);
}

function sshKeyOf(asked: unknown): string | null {
  const value = trimmed(asked);
  if (value === undefined || value === null || value === "") return null;
  if (typeof value !== "string") throw invalid("ssh_key", value);
  const parsed = sshPublicKeySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refused(`Invalid ssh_key: ${parsed.error.issues[0]?.message ?? "it is no public key"}`);
}

function invalid(key: string, value: unknown): CumulusError {
  return refused(`Invalid ${key}: ${JSON.stringify(value).slice(0, 100)}`);
}

function refused(message: string): CumulusError {
  return new CumulusError("bad_request", message);
}
