import type { BadFile, Material } from "./badFile";

/** A sound qcow2 file with some bytes changed. */
export function changed(change: (bytes: Buffer, material: Material) => void): (material: Material) => Buffer {
  return (material) => {
    const bytes = Buffer.from(material.qcow2);
    change(bytes, material);
    return bytes;
  };
}

/** Puts a text where the header's extensions end, and the header's pointer to a backing file on it. */
export function nameBackingFile(bytes: Buffer, path: string): void {
  const at = 1024;
  bytes.write(path, at, "latin1");
  bytes.writeBigUInt64BE(BigInt(at), 8);
  bytes.writeUInt32BE(path.length, 16);
}

/** Puts an extension before those that are there. */
function addExtension(bytes: Buffer, type: number, data: string): void {
  const at = bytes.readUInt32BE(100);
  bytes.fill(0, at, at + 2048);
  bytes.writeUInt32BE(type, at);
  bytes.writeUInt32BE(data.length, at + 4);
  bytes.write(data, at + 8, "latin1");
}

const l1Offset = (bytes: Buffer) => Number(bytes.readBigUInt64BE(40));
const l2Offset = (bytes: Buffer) => Number(bytes.readBigUInt64BE(l1Offset(bytes)) & 0x00fffffffffffe00n);
const refcountBlock = (bytes: Buffer) => Number(bytes.readBigUInt64BE(Number(bytes.readBigUInt64BE(48))));
/** The first of an L2 table's entries that leads to data. */
const dataEntry = (bytes: Buffer) => {
  let at = l2Offset(bytes);
  while ((bytes.readBigUInt64BE(at) & 0x00fffffffffffe00n) === 0n) at += 8;
  return at;
};

/** Those that would have a host's other files read. */
const escapes: BadFile[] = [
  { name: "backing file", make: changed((bytes, { canary }) => nameBackingFile(bytes, canary)), told: /backing file/ },
  {
    name: "backing file of the json: kind",
    make: changed((bytes, { canary }) => nameBackingFile(bytes, `json:{"driver":"file","filename":"${canary}"}`)),
    told: /backing file/,
  },
  {
    name: "backing file over the network",
    make: changed((bytes) => nameBackingFile(bytes, "nbd://10.0.0.1/x")),
    told: /backing file/,
  },
  {
    name: "length of a backing file alone",
    make: changed((bytes) => bytes.writeUInt32BE(9, 16)),
    told: /backing file/,
  },
  {
    name: "backing format extension",
    make: changed((bytes) => addExtension(bytes, 0xe2792aca, "raw")),
    told: /backing file/,
  },
  {
    name: "external data file",
    make: changed((bytes, { canary }) => {
      bytes.writeBigUInt64BE(1n << 2n, 72);
      addExtension(bytes, 0x44415441, canary);
    }),
    told: /another file/,
  },
  {
    name: "external data file extension without its bit",
    make: changed((bytes, { canary }) => addExtension(bytes, 0x44415441, canary)),
    told: /another file/,
  },
  { name: "raw external data bit", make: changed((bytes) => bytes.writeBigUInt64BE(2n, 88)), told: /another file/ },
];

/** Those whose header or tables are not as they must be. */
const structure: BadFile[] = [
  { name: "encryption method", make: changed((bytes) => bytes.writeUInt32BE(2, 32)), told: /encrypted/ },
  {
    name: "encryption header extension",
    make: changed((bytes) => addExtension(bytes, 0x0537be77, "0123456789abcdef")),
    told: /encrypted/,
  },
  { name: "dirty bitmaps", make: changed((bytes) => addExtension(bytes, 0x23852875, "0".repeat(24))), told: /bitmaps/ },
  {
    name: "extension beyond its end",
    make: changed((bytes) => {
      addExtension(bytes, 0x12345678, "");
      bytes.writeUInt32BE(0xfffffff0, bytes.readUInt32BE(100) + 4);
    }),
    told: /beyond its end/,
  },
  {
    name: "unknown incompatible feature",
    make: changed((bytes) => bytes.writeBigUInt64BE(1n << 40n, 72)),
    told: /not known/,
  },
  {
    name: "not closed properly",
    make: changed((bytes) => bytes.writeBigUInt64BE(1n, 72)),
    told: /not closed properly/,
  },
  { name: "marked as damaged", make: changed((bytes) => bytes.writeBigUInt64BE(2n, 72)), told: /marked as damaged/ },
  { name: "version 4", make: changed((bytes) => bytes.writeUInt32BE(4, 4)), told: /version 4/ },
  { name: "snapshots of its own", make: changed((bytes) => bytes.writeUInt32BE(1, 60)), told: /snapshots/ },
  { name: "clusters of 2^8 bytes", make: changed((bytes) => bytes.writeUInt32BE(8, 20)), told: /clusters/ },
  { name: "clusters of 2^63 bytes", make: changed((bytes) => bytes.writeUInt32BE(63, 20)), told: /clusters/ },
  { name: "a disk of no size", make: changed((bytes) => bytes.writeBigUInt64BE(0n, 24)), told: /no size/ },
  { name: "a disk of 3 TiB", make: changed((bytes) => bytes.writeBigUInt64BE(3n << 40n, 24)), told: /3 TiB/ },
  {
    name: "a disk of 16 EiB",
    make: changed((bytes) => bytes.writeBigUInt64BE(2n ** 64n - 1n, 24)),
    told: /larger than 2 TiB/,
  },
  {
    name: "an L1 table that is too short",
    make: changed((bytes) => bytes.writeBigUInt64BE(1n << 40n, 24)),
    told: /too short/,
  },
  {
    name: "an L1 table without end",
    make: changed((bytes) => bytes.writeUInt32BE(0xffffffff, 36)),
    told: /longer than any/,
  },
  {
    name: "an L1 table beyond the file",
    make: changed((bytes) => bytes.writeBigUInt64BE(1n << 40n, 40)),
    told: /beyond the file/,
  },
  {
    name: "an L1 table in the header",
    make: changed((bytes) => bytes.writeBigUInt64BE(0n, 40)),
    told: /where none can be/,
  },
  {
    name: "an L1 table off its cluster",
    make: changed((bytes) => bytes.writeBigUInt64BE(bytes.readBigUInt64BE(40) + 8n, 40)),
    told: /where none can be/,
  },
  {
    name: "an L1 entry beyond the file",
    make: changed((bytes) => bytes.writeBigUInt64BE((1n << 63n) | (1n << 45n), l1Offset(bytes))),
    told: /beyond the file/,
  },
  {
    name: "an L1 entry with reserved bits",
    make: changed((bytes) => bytes.writeBigUInt64BE(bytes.readBigUInt64BE(l1Offset(bytes)) | 1n, l1Offset(bytes))),
    told: /damaged/,
  },
  {
    name: "a refcount table of no length",
    make: changed((bytes) => bytes.writeUInt32BE(0, 56)),
    told: /reference counts/,
  },
  {
    name: "a refcount table without end",
    make: changed((bytes) => bytes.writeUInt32BE(0xffffff, 56)),
    told: /reference counts/,
  },
  {
    name: "a refcount table beyond the file",
    make: changed((bytes) => bytes.writeBigUInt64BE(1n << 41n, 48)),
    told: /beyond the file/,
  },
  { name: "refcounts of 2^9 bits", make: changed((bytes) => bytes.writeUInt32BE(9, 96)), told: /width/ },
  { name: "a header of 3 bytes", make: changed((bytes) => bytes.writeUInt32BE(3, 100)), told: /length/ },
  { name: "a header of 4 GiB", make: changed((bytes) => bytes.writeUInt32BE(0xfffffff8, 100)), told: /length/ },
  {
    name: "compression of an unknown kind",
    make: changed((bytes) => {
      bytes.writeBigUInt64BE(1n << 3n, 72);
      bytes.writeUInt8(7, 104);
    }),
    told: /compressed is not known/,
  },
  {
    name: "an L2 entry beyond the file",
    make: changed((bytes) => bytes.writeBigUInt64BE((1n << 63n) | (1n << 44n), dataEntry(bytes))),
    told: /damaged or cut short/,
  },
  {
    name: "two L2 entries for one cluster, as in a bomb",
    make: changed((bytes) => {
      const at = dataEntry(bytes);
      for (let copy = 1; copy < 16; copy++) bytes.copy(bytes, at + 8 * copy, at, at + 8);
    }),
    told: /damaged/,
  },
  {
    name: "an L2 entry that leads to the L1 table",
    make: changed((bytes) => bytes.writeBigUInt64BE((1n << 63n) | BigInt(l1Offset(bytes)), dataEntry(bytes))),
    told: /damaged/,
  },
  {
    name: "refcounts of zero",
    make: changed((bytes) => bytes.fill(0, refcountBlock(bytes), refcountBlock(bytes) + 512)),
    told: /damaged/,
  },
];

const cuts: BadFile[] = [
  { name: "a magic number and no more", make: () => Buffer.from("QFI\xfb", "latin1"), told: /cut short|qcow2/ },
  { name: "a header that is cut", make: ({ qcow2 }) => qcow2.subarray(0, 90), told: /cut short/ },
  { name: "tables that are cut", make: ({ qcow2 }) => qcow2.subarray(0, 70_000), told: /cut short/ },
  {
    name: "data that is cut",
    make: ({ qcow2 }) => qcow2.subarray(0, qcow2.length - 3 * 65_536),
    told: /cut short/,
  },
];

/** qcow2 files that no image may be made of. */
export const badQcow2: readonly BadFile[] = [...escapes, ...structure, ...cuts];
