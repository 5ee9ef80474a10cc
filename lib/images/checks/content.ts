import { type FileHandle, open } from "node:fs/promises";
import { refusal } from "./refusal";

/** What a file can be for us: a disk, a CD-ROM, or one of them compressed. */
export type Content = "qcow2" | "raw" | "iso" | "gz" | "xz" | "zst";

type Magic = [offset: number, bytes: string | Buffer];

/** Enough for every magic number below: Btrfs' is the farthest one. */
const headBytes = 70_000;
const footerBytes = 512;

const compressions: [Content, Buffer][] = [
  ["gz", Buffer.from([0x1f, 0x8b])],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["zst", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

const convertIt = "convert it with qemu-img convert -O qcow2 and add the result";
const importIt = "import it as a VM if Cumulus exported it as one, else unpack it and add the disk image that is in it";
const unpackIt = "unpack it and add the disk image that is in it";

/** What people take for images, or hide in them, with what to do instead. */
const refused: [magic: Magic, what: string, remedy: string][] = [
  [[0, "KDMV"], "a VMDK disk of VMware", convertIt],
  [[0, "COWD"], "a VMDK disk of VMware", convertIt],
  [[0, "# Disk DescriptorFile"], "a VMDK description of VMware, which names other files", convertIt],
  [[64, Buffer.from([0x7f, 0x10, 0xda, 0xbe])], "a VDI disk of VirtualBox", convertIt],
  [[0, "conectix"], "a VHD disk", convertIt],
  [[0, "vhdxfile"], "a VHDX disk", convertIt],
  [[0, "QED\0"], "a QED disk", convertIt],
  [[0, "WithoutFreeSpace"], "a Parallels disk", convertIt],
  [[0, "WithouFreSpacExt"], "a Parallels disk", convertIt],
  [[0, "Bochs Virtual HD Image"], "a Bochs disk", convertIt],
  [[0, "#!/bin/sh\n#V2.0 Format"], "a cloop disk", convertIt],
  [[0, "LUKS\xba\xbe"], "an encrypted (LUKS) disk", "add one that is not encrypted"],
  [[257, "ustar"], "a tar archive (OVA files are such ones, too)", importIt],
  [[0, "PK\x03\x04"], "a ZIP archive", unpackIt],
  [[0, Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])], "a 7-Zip archive", unpackIt],
  [[0, "Rar!"], "a RAR archive", unpackIt],
  [[0, "BZh"], "compressed with bzip2", "unpack it, or use gzip, xz or zstd"],
  [[0, Buffer.from([0x04, 0x22, 0x4d, 0x18])], "compressed with lz4", "unpack it, or use gzip, xz or zstd"],
  [[0, "LZIP"], "compressed with lzip", "unpack it, or use gzip, xz or zstd"],
  [[0, "hsqs"], "a SquashFS file system, which no VM starts from", "add a disk image"],
  [[0, "\x7fELF"], "a program", "add a disk image"],
  [[0, "MZ"], "a Windows program", "add a disk image"],
  [[0, "%PDF"], "a PDF document", "add a disk image"],
];

/** How a raw disk shows itself: by its partition table, or by a file system that takes all of it. */
const rawMagics: Magic[] = [
  [510, Buffer.from([0x55, 0xaa])],
  [512, "EFI PART"],
  [4096, "EFI PART"],
  [1080, Buffer.from([0x53, 0xef])],
  [0, "XFSB"],
  [65_600, "_BHRfS_M"],
];

/**
 * What a file is, by its content alone: names and what senders say count for nothing.
 * @throws `bad_request` for anything but qcow2, raw and ISO 9660, with a sentence that names it
 */
export async function contentOf(file: string): Promise<Content> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const head = await readAt(handle, 0, headBytes);
    const footer = await readAt(handle, Math.max(0, size - footerBytes), footerBytes);
    return recognise(head, footer);
  } finally {
    await handle.close();
  }
}

function recognise(head: Buffer, footer: Buffer): Content {
  if (head.length === 0) throw refusal("it is empty");
  for (const [content, magic] of compressions) if (has(head, [0, magic])) return content;
  if (has(head, [0, "QFI\xfb"])) return "qcow2";
  const found = refused.find(([magic]) => has(head, magic));
  if (found) throw refusal(`it is ${found[1]}: ${found[2]}`);
  // These end with what tells them; their beginning may be that of a raw disk.
  if (has(footer, [0, "conectix"])) throw refusal(`it is a VHD disk: ${convertIt}`);
  if (has(footer, [0, "koly"])) throw refusal(`it is an Apple disk image (DMG): ${convertIt}`);
  if (has(head, [32_769, "CD001"])) return "iso";
  if (rawMagics.some((magic) => has(head, magic))) return "raw";
  throw refusal(`${guess(head)}; qcow2, raw disks with a partition table or file system, and ISO files are taken`);
}

function has(bytes: Buffer, [offset, magic]: Magic): boolean {
  const wanted = typeof magic === "string" ? Buffer.from(magic, "latin1") : magic;
  return bytes.subarray(offset, offset + wanted.length).equals(wanted);
}

function guess(head: Buffer): string {
  const start = head.subarray(0, 512).toString("latin1").trimStart().toLowerCase();
  if (start.startsWith("<!doctype html") || start.startsWith("<html"))
    return "it is a web page, not a file to download";
  if (head.every((byte) => byte === 0)) return "there are only zeros where a disk begins";
  if (/^[\s!-~]+$/.test(start)) return "it is text";
  return "its format is not known";
}

/** Up to `length` bytes from `offset`; fewer at the file's end. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
