import { copyFile, mkdtemp, open, readFile, rm, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { tool } from "../tools";
import { layout } from "./recipe";
import { type Tree, writeRootFileSystem } from "./rootFileSystem";

const sectorBytes = 512;

export interface DiskOptions {
  tree: Tree;
  /** The qcow2 file to write. */
  target: string;
  /** An empty folder for what comes and goes. */
  scratch: string;
  signal: AbortSignal;
}

/** Writes a disk that boots by BIOS and by UEFI, without mounting anything. The same tree gives the same bytes. */
export async function writeDisk({ tree, target, scratch, signal }: DiskOptions): Promise<void> {
  const raw = join(scratch, "disk.raw");
  await (await open(raw, "wx", 0o600)).close();
  await truncate(raw, layout.virtualSizeBytes);
  const env = { SOURCE_DATE_EPOCH: String(tree.epoch) };
  const run: Run = (program, args, options) => tool(program, args, { ...options, env, cancelSignal: signal });
  await partition(raw, run);
  await embedBiosLoader(raw, tree);
  await writeEsp(raw, tree, scratch, run);
  await writeRootFileSystem(raw, tree, signal);
  const options = ["-c", "-o", "compression_type=zstd", "-m", "1"];
  await run("nice", ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", ...options, raw, target]);
  await rm(raw);
}

type Run = (program: string, args: string[], options?: { input: string }) => Promise<unknown>;

async function partition(disk: string, run: Run): Promise<void> {
  const { biosBoot, esp, root, diskUuid } = layout;
  const sectors = (bytes: number) => bytes / sectorBytes;
  const part = (type: string, { startBytes, uuid }: { startBytes: number; uuid: string }, sizeBytes?: number) =>
    `start=${sectors(startBytes)}, ${sizeBytes ? `size=${sectors(sizeBytes)}, ` : ""}type=${type}, uuid=${uuid}`;
  const table = [
    "label: gpt",
    `label-id: ${diskUuid}`,
    part("21686148-6449-6E6F-744E-656564454649", biosBoot, biosBoot.sizeBytes),
    part("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", esp, esp.sizeBytes),
    part("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", root),
  ];
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], { input: `${table.join("\n")}\n` });
}

/**
 * GRUB for a BIOS, put where grub-install would, which needs a block device: `boot.img` in the disk's first sector, beside the
 * partition table, and `core.img` in its own partition. Each is told where the rest lies (GRUB's boot.S, diskboot.S).
 */
async function embedBiosLoader(disk: string, tree: Tree): Promise<void> {
  const folder = join(tree.root, "boot", "grub", "i386-pc");
  const boot = await readFile(join(folder, "boot.img"));
  const core = await readFile(join(folder, "core.img"));
  if (core.length > layout.biosBoot.sizeBytes) throw new Error("GRUB's core is larger than its partition.");
  const coreSector = BigInt(layout.biosBoot.startBytes / sectorBytes);
  boot.writeBigUInt64LE(coreSector, 0x5c);
  // Two NOPs: the drive that the BIOS names is believed, since it is no floppy's.
  boot.writeUInt16LE(0x9090, 0x66);
  core.writeBigUInt64LE(coreSector + 1n, sectorBytes - 12);
  core.writeUInt16LE(Math.ceil(core.length / sectorBytes) - 1, sectorBytes - 4);
  const handle = await open(disk, "r+");
  try {
    // Behind its 440 bytes lie the disk's signature and the protective partition table.
    await handle.write(boot, 0, 440, 0);
    await handle.write(core, 0, core.length, layout.biosBoot.startBytes);
  } finally {
    await handle.close();
  }
}

/** The EFI system partition, with GRUB under the name that firmware looks for on a disk that it doesn't know. */
async function writeEsp(disk: string, tree: Tree, scratch: string, run: Run): Promise<void> {
  const { startBytes, sizeBytes, volumeId } = layout.esp;
  const folder = await mkdtemp(join(scratch, "esp-"));
  const loader = join(folder, "BOOTX64.EFI");
  await copyFile(join(tree.root, "boot", "grub", "x86_64-efi", "core.efi"), loader);
  await utimes(loader, tree.epoch, tree.epoch);
  const at = `--offset=${startBytes / sectorBytes}`;
  const format = ["--invariant", "-F", "16", "-n", "ESP", "-i", volumeId, at, disk, String(sizeBytes / 1024)];
  await run("mkfs.vfat", format);
  const place = `${disk}@@${startBytes}`;
  await run("mmd", ["-i", place, "::/EFI", "::/EFI/BOOT"]);
  await run("mcopy", ["-m", "-i", place, loader, "::/EFI/BOOT/BOOTX64.EFI"]);
}
