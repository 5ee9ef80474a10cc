import { chown, copyFile } from "node:fs/promises";
import { CumulusError, messageOf } from "../domain/errors";
import { formatBytes } from "../domain/units";
import { readQcow2Header } from "../images/qcow2";
import type { MachineUser } from "../system/machineUsers";
import { runTool } from "./tools";

/** Makes a disk whose unwritten parts are the image's. Formats are named: QEMU must never guess one. */
export async function createOverlay(
  disk: string,
  image: string,
  sizeBytes: number,
  user: MachineUser | null,
): Promise<void> {
  const { virtualBytes } = await readQcow2Header(image);
  if (sizeBytes < virtualBytes) {
    throw new CumulusError(
      "bad_request",
      `The disk must be at least ${formatBytes(virtualBytes)}, as large as the image that it starts from.`,
    );
  }
  await runTool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", disk, String(sizeBytes)]);
  await giveTo(user, disk);
}

/**
 * Grows the disk of a VM that is off to a size; done when it has it. As the VM's own user: its header is no longer ours alone to
 * write, and could name another file.
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

/** A VM's own copy of the empty UEFI variables. */
export async function copyUefiVars(template: string, vars: string, user: MachineUser | null): Promise<void> {
  await copyFile(template, vars);
  await giveTo(user, vars);
}

async function giveTo(user: MachineUser | null, file: string): Promise<void> {
  if (user !== null) await chown(file, user.uid, user.gid);
}
