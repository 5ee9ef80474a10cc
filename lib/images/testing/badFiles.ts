import { gzipSync } from "node:zlib";
import type { BadFile } from "./badFile";
import { badQcow2, changed, nameBackingFile } from "./badQcow2";
import { isoVolume, rawDisk } from "./images";

const MiB = 2 ** 20;
const raw = rawDisk();

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
export const badFiles: readonly BadFile[] = [...otherFormats, ...isoFiles, ...badQcow2, ...compressed];
