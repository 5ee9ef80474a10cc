import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Header, pack } from "tar-stream";
import type { VmDescription } from "../../domain/vmDescription";

/** What an archive of the tests says of its VM. */
export const archivedVm: VmDescription = {
  name: "web-1",
  vcpus: 1,
  memoryBytes: 2 ** 28,
  diskBytes: 2 ** 31,
  imageTitle: "Cumulus mini",
  loginUser: "root",
  arch: "x86_64",
  firmware: "bios",
  os: null,
  minMemoryBytes: 2 ** 26,
  endOfLife: null,
  bootFrom: "disk",
  network: null,
  sshKeys: [],
  takenAt: "2026-11-22T10:00:00.000Z",
};

interface Made extends Partial<Header> {
  name: string;
  /** Of a `vm.json`: what it says, if not that of `archivedVm`. */
  content?: Buffer | string;
  /** A file whose bytes it has. */
  path?: string;
}

/** A tar of whatever is asked for, written as it is read. */
export function tarOf(entries: readonly Made[]): AsyncIterable<Buffer> {
  const archive = pack();
  const fill = async () => {
    for (const { content, path, ...header } of entries) {
      const bytes = Buffer.from(content ?? (header.name === "vm.json" ? JSON.stringify(archivedVm) : ""));
      const type = header.type ?? "file";
      if (path !== undefined) await pipeline(createReadStream(path), archive.entry({ ...header, type }));
      else if (type === "file")
        await pipeline(Readable.from([bytes]), archive.entry({ size: bytes.length, ...header, type }));
      else archive.entry({ ...header, type });
    }
    archive.finalize();
  };
  fill().catch((error: Error) => archive.destroy(error));
  return archive as AsyncIterable<Buffer>;
}

/** All that comes. */
export async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read);
}
