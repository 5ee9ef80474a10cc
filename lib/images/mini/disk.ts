import { open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Arch } from "../../domain/arch";
import { setInodeTimes } from "../fileTimes";
import { tool, toolTree } from "../tools";
import { layout } from "./recipe";

/** Master boot records that load the active partition's boot sector (package syslinux-common). */
const mbrFile = "/usr/lib/syslinux/mbr/mbr.bin";
const sectorBytes = 512;

/**
 * Writes a bootable disk as qcow2, without mounting anything. The same trees give the same bytes.
 * @param root the tree that becomes the root; all of it belongs to uid 0 in the image
 * @param boot the tree that becomes the boot partition
 * @param epoch what stands for the time of the build, in seconds since 1970
 * @param target the qcow2 file; a raw file beside it comes and goes
 */
export async function writeDisk(options: {
  arch: Arch;
  root: string;
  boot: string;
  epoch: number;
  target: string;
}): Promise<void> {
  const { arch, root, boot, epoch, target } = options;
  const raw = `${target}.raw`;
  await (await open(raw, "wx", 0o600)).close();
  await truncate(raw, layout.virtualSizeBytes);
  await partition(raw);
  await writeBootPartition(raw, boot, arch, epoch);
  await writeRootPartition(raw, root, epoch);
  // One after the other, so that compressed clusters lie in the same order each time.
  await tool("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", "-c", "-m", "1", raw, target]);
  await rm(raw);
}

async function partition(disk: string): Promise<void> {
  const bootStart = layout.bootStartBytes / sectorBytes;
  const bootSectors = layout.bootSizeBytes / sectorBytes;
  const table = [
    "label: dos",
    `label-id: ${layout.diskId}`,
    // 0xef: the firmware of UEFI machines looks for its boot loader there; a BIOS only minds the active flag.
    `start=${bootStart}, size=${bootSectors}, type=ef, bootable`,
    `start=${bootStart + bootSectors}, type=83`,
  ];
  await tool("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], { input: `${table.join("\n")}\n` });
}

async function writeBootPartition(disk: string, boot: string, arch: Arch, epoch: number): Promise<void> {
  const start = layout.bootStartBytes;
  const blocks = layout.bootSizeBytes / 1024;
  // FAT keeps the time of day where the computer stands.
  const env = { SOURCE_DATE_EPOCH: String(epoch), TZ: "UTC" };
  const format = ["--invariant", "-F", "16", "-n", "BOOT", "-i", layout.bootVolumeId];
  await tool("mkfs.vfat", [...format, `--offset=${start / sectorBytes}`, disk, String(blocks)]);
  const entries = (await readdir(boot)).sort().map((name) => join(boot, name));
  await tool("mcopy", ["-s", "-i", `${disk}@@${start}`, ...entries, "::"], { env });
  if (arch !== "x86_64") return;
  await tool("syslinux", ["--offset", String(start), "--install", disk], { env });
  await tool("dd", [`if=${mbrFile}`, `of=${disk}`, "bs=440", "count=1", "conv=notrunc", "status=none"]);
}

async function writeRootPartition(disk: string, root: string, epoch: number): Promise<void> {
  const start = layout.bootStartBytes + layout.bootSizeBytes;
  const { size } = await stat(disk);
  const extended = [`offset=${start}`, "root_owner=0:0", "lazy_itable_init=1", `hash_seed=${layout.rootHashSeed}`];
  const args = [
    ...["-q", "-F", "-t", "ext4", "-b", "4096", "-L", layout.rootLabel, "-U", layout.rootUuid, "-m", "1"],
    ...["-d", root, "-E", extended.join(","), disk, `${(size - start) / 1024}k`],
  ];
  const env = { E2FSPROGS_FAKE_TIME: String(epoch) };
  // Without root the tree's files are the user's own; fakeroot shows them to mke2fs as root's.
  if (process.getuid?.() === 0) await tool("mke2fs", args, { env });
  else await toolTree("fakeroot", ["--", "mke2fs", ...args], { env });
  await setInodeTimes(disk, start, epoch, (program, args) => tool(program, args, { env }));
}
