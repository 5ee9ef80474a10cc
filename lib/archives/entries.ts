import type { Header } from "tar-stream";
import { CumulusError } from "../domain/errors";
import { formatBytes } from "../domain/units";
import { mostVmFileBytes, type VmFile, vmFiles } from "../domain/vmArchive";

/** What a tar tells of one of its files, where it may be in an archive of a VM. */
export interface ArchiveEntry {
  name: VmFile;
  sizeBytes: number;
}

/**
 * Looks at an entry before anything of it is read. What an archive holds is anybody's: its names are compared, and never lead anywhere.
 * @param seen names that were there already; this one is added
 * @throws `bad_request`
 */
export function admitEntry(
  { name, type, size }: Pick<Header, "name" | "type" | "size">,
  seen: Set<string>,
): ArchiveEntry {
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  if (!isVmFile(name)) {
    throw archiveRefusal(`${shown} is in it, and only ${Object.values(vmFiles).join(", ")} may be`);
  }
  if (type !== "file") throw archiveRefusal(`${shown} in it is no regular file`);
  if (seen.has(name)) throw archiveRefusal(`${shown} is in it more than once`);
  if (size > mostVmFileBytes[name]) {
    throw archiveRefusal(`${shown} in it is larger than ${formatBytes(mostVmFileBytes[name])}, the most that is taken`);
  }
  seen.add(name);
  return { name, sizeBytes: size };
}

/** Reads an entry that is small by its limit. */
export async function readEntry(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** Why a file is no archive of a VM: `why` completes the sentence. */
export function archiveRefusal(why: string, cause?: unknown): CumulusError {
  return new CumulusError("bad_request", `This file can't be imported as a VM: ${why}.`, { cause });
}

/** The same of what the tar library says of a file. */
export function brokenArchive(cause: unknown): CumulusError {
  return archiveRefusal(
    "it is no tar archive, or it is damaged or cut short. Export the VM again, as an archive",
    cause,
  );
}

function isVmFile(name: string): name is VmFile {
  return name in mostVmFileBytes && Object.hasOwn(mostVmFileBytes, name);
}
