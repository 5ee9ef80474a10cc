import { type FileHandle, open } from "node:fs/promises";
import { formatBytes, MIB } from "../../domain/units";
import { assertSelfContained, parseQcow2Header, type Qcow2Header } from "../qcow2";
import { readAt } from "./content";
import { refusal } from "./refusal";

/** QEMU's own bounds (block/qcow2.h): it opens nothing beyond them. */
const maxL1Bytes = 32 * MIB;
const maxRefcountTableBytes = 8 * MIB;
const clusterBits = { least: 9, most: 21 };
const maxRefcountOrder = 6;

const incompatible = { dirty: 1n << 0n, corrupt: 1n << 1n, compression: 1n << 3n, extendedL2: 1n << 4n };
const autoclear = { rawExternalData: 1n << 1n };

/** Header extensions by their type. Those that name or hold something outside the disk's own data are refused; unknown ones mean nothing. */
const endOfExtensions = 0;
const refusedExtensions: Record<number, string> = {
  3799591626: "it names the format of a backing file, and an image must hold all of its data",
  1145132097: "it names another file for its data",
  87539319: "it is encrypted",
  595929205: "it holds dirty bitmaps of a backup tool: remove them with qemu-img bitmap --remove",
};

const offsetMask = 0x00fffffffffffe00n;
const l1Reserved = 0x7f000000000001ffn;
const tableChunkBytes = 4 * MIB;

/**
 * Checks a qcow2 file from its header down to the tables that the header leads to, by our own reading and before any of QEMU's code sees it:
 * it must hold all of its data, and nothing in it may lie outside the file.
 *
 * @param maxVirtualBytes the largest disk that is taken
 * @throws `bad_request` with a sentence
 */
export async function checkQcow2Structure(file: string, maxVirtualBytes: number): Promise<Qcow2Header> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const head = await readAt(handle, 0, 1 << clusterBits.most);
    const header = parseQcow2Header(head);
    assertSelfContained(header);
    const layout = checkHeader(head, header, maxVirtualBytes);
    checkExtensions(head, layout);
    checkTable("list of reference counts", layout.refcountTable, layout, size);
    checkTable("list of clusters", layout.l1Table, layout, size);
    await checkEntries(handle, layout.refcountTable, layout, size, 0x1ffn);
    await checkEntries(handle, layout.l1Table, layout, size, l1Reserved);
    return header;
  } finally {
    await handle.close();
  }
}

interface Table {
  offset: bigint;
  bytes: number;
}

interface Layout {
  clusterBytes: number;
  headerBytes: number;
  l1Table: Table;
  refcountTable: Table;
}

function checkHeader(head: Buffer, { version, virtualBytes }: Qcow2Header, maxVirtualBytes: number): Layout {
  const bits = head.readUInt32BE(20);
  if (bits < clusterBits.least || bits > clusterBits.most)
    throw refusal(`its clusters of 2^${bits} bytes are of no size that qcow2 has`);
  const clusterBytes = 2 ** bits;
  if (virtualBytes === 0) throw refusal("its disk has no size");
  if (virtualBytes > maxVirtualBytes) {
    throw refusal(
      `its disk of ${formatBytes(virtualBytes)} is larger than ${formatBytes(maxVirtualBytes)}, the most that is taken`,
    );
  }
  if (head.readUInt32BE(60) !== 0) {
    throw refusal(
      "it holds snapshots of its own: delete them with qemu-img snapshot -d, or convert it with qemu-img convert -O qcow2",
    );
  }
  const features = version === 3 ? head.readBigUInt64BE(72) : 0n;
  const headerBytes = version === 3 ? head.readUInt32BE(100) : 72;
  if (version === 3) checkVersion3(head, headerBytes, features, clusterBytes);

  const entriesPerL2 = clusterBytes / ((features & incompatible.extendedL2) === 0n ? 8 : 16);
  const l1Entries = head.readUInt32BE(36);
  if (l1Entries < Math.ceil(virtualBytes / (clusterBytes * entriesPerL2)))
    throw refusal("its list of clusters is too short for its disk");
  if (l1Entries * 8 > maxL1Bytes) throw refusal("its list of clusters is longer than any that QEMU reads");
  const refcountTableBytes = head.readUInt32BE(56) * clusterBytes;
  if (refcountTableBytes === 0 || refcountTableBytes > maxRefcountTableBytes) {
    throw refusal("its list of reference counts is of no size that makes sense");
  }
  return {
    clusterBytes,
    headerBytes,
    l1Table: { offset: head.readBigUInt64BE(40), bytes: l1Entries * 8 },
    refcountTable: { offset: head.readBigUInt64BE(48), bytes: refcountTableBytes },
  };
}

function checkVersion3(head: Buffer, headerBytes: number, features: bigint, clusterBytes: number): void {
  const mend = "run qemu-img check -r all on it first";
  if ((features & incompatible.dirty) !== 0n) throw refusal(`it was not closed properly: ${mend}`);
  if ((features & incompatible.corrupt) !== 0n) throw refusal(`it is marked as damaged: ${mend}`);
  if ((features & incompatible.extendedL2) !== 0n && clusterBytes < 16_384)
    throw refusal("its clusters are too small for the features it uses");
  if ((head.readBigUInt64BE(88) & autoclear.rawExternalData) !== 0n) throw refusal("it keeps its data in another file");
  if (head.readUInt32BE(96) > maxRefcountOrder) throw refusal("its reference counts are of no width that qcow2 has");
  if (headerBytes < 104 || headerBytes % 8 !== 0 || headerBytes > Math.min(clusterBytes, head.length))
    throw refusal("its header is of no length that makes sense");
  const compression = headerBytes > 104 ? (head[104] ?? 0) : 0;
  const saysSo = (features & incompatible.compression) !== 0n;
  if (compression > 1 || saysSo !== (compression !== 0)) throw refusal("the way it is compressed is not known");
}

/** The extensions lie between the header and the first cluster's end, each as type, length, and data filled up to 8 bytes. */
function checkExtensions(head: Buffer, { headerBytes, clusterBytes }: Layout): void {
  const end = Math.min(clusterBytes, head.length);
  for (let at = headerBytes; at + 8 <= end; ) {
    const type = head.readUInt32BE(at);
    const length = head.readUInt32BE(at + 4);
    if (type === endOfExtensions) return;
    const why = refusedExtensions[type];
    if (why) throw refusal(why);
    at += 8 + Math.ceil(length / 8) * 8;
    if (at > end) throw refusal("its header goes on beyond its end");
  }
}

function checkTable(what: string, { offset, bytes }: Table, { clusterBytes }: Layout, fileBytes: number): void {
  if (offset % BigInt(clusterBytes) !== 0n || offset < BigInt(clusterBytes))
    throw refusal(`its ${what} begins where none can be`);
  if (offset + BigInt(bytes) > BigInt(fileBytes))
    throw refusal(`it is cut short: its ${what} lies beyond the file's end`);
}

/** Every entry of a table of offsets leads to a whole cluster within the file, or nowhere. */
async function checkEntries(
  handle: FileHandle,
  { offset, bytes }: Table,
  { clusterBytes }: Layout,
  fileBytes: number,
  reserved: bigint,
): Promise<void> {
  for (let done = 0; done < bytes; done += tableChunkBytes) {
    const chunk = await readAt(handle, Number(offset) + done, Math.min(tableChunkBytes, bytes - done));
    for (let at = 0; at + 8 <= chunk.length; at += 8) {
      const entry = chunk.readBigUInt64BE(at);
      if (entry === 0n) continue;
      const target = entry & offsetMask;
      if ((entry & reserved) !== 0n || target % BigInt(clusterBytes) !== 0n) throw refusal("its lists are damaged");
      if (target + BigInt(clusterBytes) > BigInt(fileBytes))
        throw refusal("it is cut short: parts of it lie beyond the file's end");
    }
  }
}
