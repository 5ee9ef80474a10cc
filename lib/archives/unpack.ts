import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { CumulusError } from "../domain/errors";
import { vmFiles } from "../domain/vmArchive";
import { isErrno } from "../system/files";
import { admitEntry, archiveRefusal, brokenArchive } from "./entries";
import type { ArchivedFiles } from "./pack";

const chunkBytes = 1024 * 1024;

/**
 * Takes the files out of an archive that anybody may have made. What they hold is not looked at.
 * @param folder an empty one of the caller's; what is in it afterwards is the caller's to remove
 * @throws `bad_request` for what is no archive of a VM; errors of the disk as they are
 */
export async function unpackArchive(file: string, folder: string, signal: AbortSignal): Promise<ArchivedFiles> {
  const archive = extract();
  const reading = pipeline(createReadStream(file, { highWaterMark: chunkBytes }), archive, { signal });
  // It is awaited below, and may fail before that.
  reading.catch(() => undefined);
  const seen = new Set<string>();
  try {
    for await (const entry of archive) {
      const { name } = admitEntry(entry.header, seen);
      await pipeline(entry, createWriteStream(join(folder, name), { flags: "wx", mode: 0o600 }), { signal });
    }
    await reading;
  } catch (error) {
    signal.throwIfAborted();
    const isOfDisk = isErrno(error) || (error instanceof Error && "syscall" in error);
    throw error instanceof CumulusError || isOfDisk ? error : brokenArchive(error);
  } finally {
    archive.destroy();
    await reading.catch(() => undefined);
  }
  for (const name of [vmFiles.description, vmFiles.disk]) {
    if (!seen.has(name)) throw archiveRefusal(`it has no ${name}`);
  }
  const variables = seen.has(vmFiles.variables) ? join(folder, vmFiles.variables) : null;
  return { disk: join(folder, vmFiles.disk), variables };
}
