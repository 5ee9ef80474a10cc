import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

export const MiB = 1024 ** 2;

/** A disk as qemu-img writes it, with so many bytes of data that no other has. */
export async function qcow2(dataBytes: number, diskBytes = 8 * MiB): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "images-"));
  const [raw, file] = [join(folder, "disk.raw"), join(folder, "disk.qcow2")];
  const disk = Buffer.alloc(diskBytes);
  randomBytes(dataBytes).copy(disk, MiB);
  disk.writeUInt16LE(0xaa55, 510);
  await writeFile(raw, disk);
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, file]);
  const made = await readFile(file);
  await rm(folder, { recursive: true });
  return made;
}
