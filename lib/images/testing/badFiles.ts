import { gzipSync } from "node:zlib";
import { isoVolume, rawDisk } from "./images";

const MiB = 2 ** 20;
const raw = rawDisk();

/** A sound file, and a host file that a bad one may try to have read. */
export interface Material {
  qcow2: Buffer;
  canary: string;
}

export interface BadFile {
  name: string;
  make(material: Material): Buffer;
  /** Of the sentence that refuses it. */
  told: RegExp;
  kind?: "iso";
}

/** A file that begins with something, and goes on as a raw disk would. */
function beginning(magic: string | number[], at = 0): () => Buffer {
  return () => {
    const disk = Buffer.from(raw);
    Buffer.from(typeof magic === "string" ? Buffer.from(magic, "latin1") : magic).copy(disk, at);
    return disk;
  };
}

function ending(magic: string): () => Buffer {
  return () => Buffer.concat([raw, Buffer.from(magic.padEnd(512, "\0"), "latin1")]);
}

/** A sound qcow2 file with some bytes changed. */
function changed(change: (bytes: Buffer, material: Material) => void): (material: Material) => Buffer {
  return (material) => {
    const bytes = Buffer.from(material.qcow2);
    change(bytes, material);
    return bytes;
  };
}

/** Puts a text where the header's extensions end, and the header's pointer to a backing file on it. */
function nameBackingFile(bytes: Buffer, path: string): void {
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

const otherFormats: BadFile[] = [
  { name: "VMDK, sparse", make: beginning("KDMV\x01"), told: /VMDK/ },
  { name: "VMDK of an old ESX", make: beginning("COWD\x01"), told: /VMDK/ },
  {
    name: "VMDK descriptor that names a host file",
    make: ({ canary }) => Buffer.from(`# Disk DescriptorFile\nRW 8 FLAT "${canary}" 0\n`),
    told: /VMDK/,
  },
  { name: "VDI", make: beginning([0x7f, 0x10, 0xda, 0xbe], 64), told: /VDI/ },
  { name: "VHD, dynamic", make: beginning("conectix"), told: /VHD/ },
  { name: "VHD, fixed, which begins like a raw disk", make: ending("conectix"), told: /VHD/ },
  { name: "VHDX", make: beginning("vhdxfile"), told: /VHDX/ },
  { name: "QED", make: beginning("QED\0"), told: /QED/ },
  { name: "Parallels", make: beginning("WithoutFreeSpace"), told: /Parallels/ },
  { name: "DMG", make: ending("koly"), told: /DMG/ },
  { name: "LUKS", make: beginning("LUKS\xba\xbe"), told: /LUKS/ },
  { name: "tar, as an OVA is", make: beginning("ustar", 257), told: /tar/ },
  { name: "ZIP", make: beginning("PK\x03\x04"), told: /ZIP/ },
  { name: "7-Zip", make: beginning([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]), told: /7-Zip/ },
  { name: "bzip2", make: beginning("BZh9"), told: /bzip2/ },
  { name: "an ELF program", make: beginning("\x7fELF"), told: /program/ },
  { name: "a web page", make: () => Buffer.from("\n<!DOCTYPE html><title>404</title>"), told: /web page/ },
  { name: "text", make: () => Buffer.from("root:x:0:0:root:/root:/bin/bash\n"), told: /text/ },
  { name: "zeros", make: () => Buffer.alloc(MiB), told: /only zeros/ },
  { name: "noise", make: () => Buffer.alloc(MiB, "\x01\xff\x80"), told: /not known/ },
  { name: "nothing", make: () => Buffer.alloc(0), told: /empty/ },
  { name: "qcow of version 1", make: beginning("QFI\xfb\0\0\0\x01"), told: /version 1/ },
  { name: "an ISO as a disk", make: () => isoVolume("SETUP"), told: /ISO file: add it as one/ },
];

const isoFiles: BadFile[] = [
  { name: "a disk as an ISO", make: () => raw, told: /no ISO file/, kind: "iso" },
  {
    name: "an ISO that is also qcow2",
    make: ({ qcow2 }) => {
      const both = Buffer.from(qcow2);
      isoVolume("BOTH").copy(both, 32_768, 32_768);
      return both;
    },
    told: /no ISO file/,
    kind: "iso",
  },
  {
    name: "an ISO that is cut short",
    make: () => isoVolume("SETUP").subarray(0, 18 * 2048),
    told: /cut short/,
    kind: "iso",
  },
  {
    name: "an ISO whose sizes disagree",
    make: () => {
      const iso = isoVolume("SETUP");
      iso.writeUInt32BE(7, 16 * 2048 + 84);
      return iso;
    },
    told: /sizes/,
    kind: "iso",
  },
  {
    name: "an ISO without a primary volume",
    make: () => {
      const iso = isoVolume("SETUP");
      iso[16 * 2048] = 2;
      return iso;
    },
    told: /contents is missing/,
    kind: "iso",
  },
];

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

const compressed: BadFile[] = [
  { name: "gzip that is cut", make: () => gzipSync(raw).subarray(0, 5000), told: /damaged or cut short/ },
  {
    name: "gzip that is damaged",
    make: () => {
      const packed = gzipSync(raw);
      packed.fill(0x55, 4000, 4100);
      return packed;
    },
    told: /damaged or cut short/,
  },
  { name: "gzip of gzip", make: () => gzipSync(gzipSync(raw)), told: /more than once/ },
  { name: "gzip of a VMDK", make: () => gzipSync(beginning("KDMV")()), told: /VMDK/ },
  {
    name: "gzip of a qcow2 with a backing file",
    make: (material) => gzipSync(changed((bytes) => nameBackingFile(bytes, material.canary))(material)),
    told: /backing file/,
  },
  {
    name: "gzip that unpacks to more than is taken",
    make: () => gzipSync(Buffer.alloc(40 * MiB)),
    told: /unpacks to more than 32 MiB/,
  },
  { name: "xz that is damaged", make: beginning([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), told: /damaged or cut short/ },
  { name: "zstd that is damaged", make: beginning([0x28, 0xb5, 0x2f, 0xfd]), told: /damaged or cut short/ },
];

/** Files that no image may be made of, each for another reason. */
export const badFiles: readonly BadFile[] = [
  ...otherFormats,
  ...isoFiles,
  ...escapes,
  ...structure,
  ...cuts,
  ...compressed,
];
