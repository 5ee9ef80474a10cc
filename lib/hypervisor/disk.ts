import { chmod, chown, copyFile } from "node:fs/promises";
import { CumulusError, messageOf } from "../domain/errors";
import { formatBytes } from "../domain/units";
import { assertSelfContained, readQcow2Header } from "../images/qcow2";
import type { MachineUser } from "../system/machineUsers";
import { type UefiFirmware, whyVarsDontFit } from "./qemu/firmware";
import { runTool } from "./tools";

/** Makes a disk whose unwritten parts are the image's. Formats are named: QEMU must never guess one. */
export async function createOverlay(
  disk: string,
  image: string,
  sizeBytes: number,
  user: MachineUser | null,
): Promise<void> {
  const header = await readQcow2Header(image);
  assertSelfContained(header);
  const { virtualBytes } = header;
  if (sizeBytes < virtualBytes) {
    throw new CumulusError(
      "bad_request",
      `The disk must be at least ${formatBytes(virtualBytes)}, as large as the image that it starts from.`,
    );
  }
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", disk, String(sizeBytes)]);
  await giveTo(user, disk);
}

/** Makes a disk with nothing on it, to install a system on. */
export async function createEmptyDisk(disk: string, sizeBytes: number, user: MachineUser | null): Promise<void> {
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", disk, String(sizeBytes)]);
  await giveTo(user, disk);
}

/**
 * Makes a disk whose unwritten parts are a layer's (null: empty). The layer isn't opened: guests wrote it, and this runs with the agent's rights.
 *
 * Without subclusters ("extended_l2"), though first writes of 4 KiB would then take 4 KiB instead of 64: QEMU 7.2 dies when it merges into a disk that has
 * them (block/io.c, bdrv_co_do_copy_on_readv: "skip_bytes < pnum").
 */
export async function createOverlayOnLayer(
  disk: string,
  layerFile: string | null,
  sizeBytes: number,
  user: MachineUser | null,
): Promise<void> {
  const backing = layerFile === null ? [] : ["-u", "-b", layerFile, "-F", "qcow2"];
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", ...backing, disk, String(sizeBytes)]);
  await giveTo(user, disk);
}

/**
 * Grows the disk of a VM that is off to a size; done when it has it. As the VM's own user: its header is no longer ours alone to
 * write, and could name another file.
 * @param user one who may read all that the disk builds on
 */
export async function growDisk(disk: string, sizeBytes: number, user: MachineUser | null): Promise<void> {
  if ((await virtualBytesOf(disk)) >= sizeBytes) return;
  await runTool("qemu-img", ["resize", "-q", "-f", "qcow2", disk, String(sizeBytes)], user);
}

async function virtualBytesOf(disk: string): Promise<number> {
  try {
    return (await readQcow2Header(disk)).virtualBytes;
  } catch (error) {
    throw new CumulusError(
      "internal",
      `The VM's disk ${disk} is missing or damaged (${messageOf(error)}). Put back a copy of it, or destroy the VM.`,
      { cause: error },
    );
  }
}

/**
 * UEFI variables for a machine that starts for the first time.
 * @param kept those of what its disk is of; null: none
 * @throws CumulusError `bad_request`: they are of another firmware
 */
export async function makeUefiVars(
  firmware: UefiFirmware,
  kept: string | null,
  vars: string,
  user: MachineUser | null,
): Promise<void> {
  const whyNot = kept && (await whyVarsDontFit(firmware, kept));
  if (whyNot) throw new CumulusError("bad_request", `This machine can't be made, since ${whyNot}. Install that one.`);
  await copyUefiVars(kept ?? firmware.varsTemplate, vars, user);
}

/** A VM's own copy of UEFI variables: empty ones, or a snapshot's. */
export async function copyUefiVars(template: string, vars: string, user: MachineUser | null): Promise<void> {
  await copyFile(template, vars);
  // A copy has the mode of what it is of.
  await chmod(vars, 0o600);
  await giveTo(user, vars);
}

async function giveTo(user: MachineUser | null, file: string): Promise<void> {
  if (user !== null) await chown(file, user.uid, user.gid);
}
