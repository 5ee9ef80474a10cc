import { chmod, chown, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import type { SeedDocuments } from "../domain/machine";
import { syncFile } from "../system/files";
import type { MachineUser } from "../system/machineUsers";
import { runTool } from "./tools";

/** Debian's genisoimage takes 4 ms; xorriso, which macOS' Homebrew has, sleeps 100 ms while it waits for its own writer. */
const isoTool: readonly [string, ...string[]] =
  platform() === "darwin" ? ["xorriso", "-as", "mkisofs"] : ["genisoimage"];

/** The files of a NoCloud seed (cloud-init, "NoCloud": a volume labelled `cidata`). Pure. */
export function seedFiles(documents: SeedDocuments): Record<"meta-data" | "user-data" | "network-config", string> {
  const { metaData, userData, networkConfig } = documents;
  return {
    "meta-data": toYaml(metaData),
    "user-data": "script" in userData ? userData.script : `#cloud-config\n${toYaml(userData.cloudConfig)}`,
    "network-config": toYaml(networkConfig),
  };
}

/** Characters that JSON leaves as they are and YAML 1.1 readers refuse or take for a line's end. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** JSON is YAML, and a serializer can't be talked into another structure. */
function toYaml(document: object): string {
  const json = JSON.stringify(document).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${json}\n`;
}

/**
 * Writes the seed as an ISO 9660 volume onto the host's disk, whole or not at all.
 * @param stagingFolder for files on the way; what a crash leaves there is swept
 */
export async function writeSeed(
  documents: SeedDocuments,
  file: string,
  stagingFolder: string,
  user: MachineUser | null,
): Promise<void> {
  const folder = await mkdtemp(join(stagingFolder, "seed-"));
  try {
    const names = Object.entries(seedFiles(documents));
    for (const [name, content] of names) await writeFile(join(folder, name), content, { mode: 0o600 });
    const iso = `${file}.tmp`;
    await rm(iso, { force: true });
    const sources = names.map(([name]) => join(folder, name));
    const [program, ...options] = isoTool;
    await runTool(program, [...options, "-quiet", "-V", "cidata", "-J", "-R", "-o", iso, ...sources]);
    await chmod(iso, user === null ? 0o600 : 0o400);
    if (user !== null) await chown(iso, user.uid, user.gid);
    await syncFile(iso);
    await rename(iso, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
