import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { vmFiles } from "../domain/vmArchive";
import type { VmDescription } from "../domain/vmDescription";
import { syncFile } from "../system/files";

const chunkBytes = 1024 * 1024;

/** What goes into an archive beside the description. */
export interface ArchivedFiles {
  disk: string;
  /** Null: the VM has no UEFI variables. */
  variables: string | null;
}

/**
 * Writes a VM's archive, and syncs it. A file that was begun is the caller's to remove.
 * @param file where nothing is yet
 * @param onBytes told how much of the files is in it, and how much they are
 */
export async function packArchive(
  file: string,
  description: VmDescription,
  { disk, variables }: ArchivedFiles,
  onBytes: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const archive = pack();
  const files = [await fileOf(vmFiles.disk, disk)];
  if (variables !== null) files.unshift(await fileOf(vmFiles.variables, variables));
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  const described = { mode: 0o600, mtime: new Date(description.takenAt) };
  let doneBytes = 0;
  const tell = (bytes: number) => {
    doneBytes += bytes;
    onBytes(doneBytes, totalBytes);
  };
  const fill = async () => {
    archive.entry({ ...described, name: vmFiles.description }, `${JSON.stringify(description, null, 2)}\n`);
    for (const { path, ...header } of files) await addFile(archive, { ...described, ...header }, path, tell, signal);
    archive.finalize();
  };
  await Promise.all([pipeline(archive, createWriteStream(file, { flags: "wx", mode: 0o600 }), { signal }), fill()]);
  await syncFile(file);
}

async function fileOf(name: string, path: string) {
  return { name, path, size: (await stat(path)).size };
}

async function addFile(
  archive: Pack,
  header: Parameters<Pack["entry"]>[0],
  path: string,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const told = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      tell(chunk.length);
      yield chunk;
    }
  };
  await pipeline(createReadStream(path, { highWaterMark: chunkBytes }), told, archive.entry(header), { signal });
}
