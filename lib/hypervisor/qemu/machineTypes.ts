import { stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Arch } from "../../domain/arch";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Log } from "../../system/log";

/** What the newest version of each guest's machine is called, whatever that is in the QEMU that runs it. */
export const machineAliases: Record<Arch, string> = { x86_64: "q35", aarch64: "virt" };

/** The versions of a machine that a QEMU can be. */
export interface MachineTypes {
  /** With its version, `pc-q35-7.2` say: a QEMU that comes later is the same machine by that name. */
  newest: string;
  all: readonly string[];
}

const known = new Map<string, MachineTypes>();

/** Asks the QEMU that is installed now, once. @throws `unavailable` when it can't be asked */
export async function machineTypesOf(arch: Arch): Promise<MachineTypes> {
  const program = `qemu-system-${arch}`;
  const binary = await identityOf(program);
  const present = binary === null ? undefined : known.get(binary);
  if (present) return present;
  const asked = await execa(program, ["-machine", "help"], { reject: false, stdin: "ignore" });
  if (asked.failed) {
    // A program that could not be started has said nothing.
    const words = (asked.stderr || asked.shortMessage || "it said nothing").trim().split("\n").at(-1);
    throw new CumulusError(
      "unavailable",
      `The QEMU of this host could not be asked which machines it has: ${words}. Run: ${program} -machine help - and try again when it answers.`,
    );
  }
  const types = readMachineTypes(asked.stdout, machineAliases[arch]);
  if (binary !== null) known.set(binary, types);
  return types;
}

/** The newest version for a machine that starts; the alias of a QEMU that can't be asked, whose start then says why it fails. */
export async function newestToStart(arch: Arch, log: Pick<Log, "warn">): Promise<string> {
  try {
    return (await machineTypesOf(arch)).newest;
  } catch (error) {
    log.warn({ arch, error: messageOf(error) }, "a VM is started as a machine without a version");
    return machineAliases[arch];
  }
}

/** What `-machine help` lists of an alias: each line has a name, a description, and with the alias what it stands for. Pure. */
export function readMachineTypes(help: string, alias: string): MachineTypes {
  const all = help.split("\n").flatMap((line) => /^\S+/.exec(line) ?? []);
  const line = help.split("\n").find((line) => line.startsWith(`${alias} `));
  return { newest: /\(alias of ([\w.-]+)\)/.exec(line ?? "")?.[1] ?? alias, all };
}

/** A program of the search path as it is now: another one after an upgrade. */
async function identityOf(program: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    const path = join(folder, program);
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) return `${path} ${found.ino} ${found.size} ${found.mtimeMs}`;
  }
  return null;
}
