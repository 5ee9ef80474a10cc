import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { type ImportedImage, importedImageSchema } from "../../domain/imageImport";
import type { ImageLimits } from "../staging/limits";

const MiB = 2 ** 20;

export const testLimits: ImageLimits = {
  fileBytes: 64 * MiB,
  expandedBytes: 32 * MiB,
  allocatedBytes: 32 * MiB,
  virtualBytes: 2 * 2 ** 40,
  reserveBytes: 0,
};

export const testImage: ImportedImage = importedImageSchema.parse({ name: "a", arch: "x86_64", firmwares: ["bios"] });

/** A raw disk of a few MiB: a boot sector's signature, some data, and much that is empty. */
export function rawDisk(bytes = 4 * MiB): Buffer {
  const disk = Buffer.alloc(bytes);
  randomBytes(256 * 1024).copy(disk, MiB);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/** A qcow2 file of such a disk, as qemu-img makes it. */
export async function qcow2Disk(folder: string, options: string[] = []): Promise<Buffer> {
  const [raw, qcow2] = [join(folder, "make.raw"), join(folder, "make.qcow2")];
  await writeFile(raw, rawDisk());
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", ...options, raw, qcow2]);
  const made = await readFile(qcow2);
  await rm(raw);
  await rm(qcow2);
  return made;
}

/** The least that is an ISO 9660 volume: a primary descriptor, its terminator, and an empty root folder. */
export function isoVolume(label: string): Buffer {
  const sectors = 20;
  const iso = Buffer.alloc(sectors * 2048);
  const primary = iso.subarray(16 * 2048);
  primary[0] = 1;
  primary.write("CD001\x01", 1, "latin1");
  primary.write(label.padEnd(32), 40, "latin1");
  primary.writeUInt32LE(sectors, 80);
  primary.writeUInt32BE(sectors, 84);
  primary.writeUInt16LE(2048, 128);
  primary.writeUInt16BE(2048, 130);
  iso.subarray(17 * 2048)[0] = 255;
  iso.write("CD001\x01", 17 * 2048 + 1, "latin1");
  return iso;
}
