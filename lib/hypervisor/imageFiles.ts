import { access } from "node:fs/promises";
import { CumulusError } from "../domain/errors";
import type { MachineSpec } from "../domain/machine";
import type { LayerStore } from "./layers/layerStore";

export async function assertImage(file: string): Promise<void> {
  await assertThere(file, "The image of this VM is not on this host: add it again.");
}

export async function assertVariables(file: string): Promise<void> {
  await assertThere(file, "The UEFI variables of this VM's image are not on this host: make the image again.");
}

export async function assertIso(file: string): Promise<void> {
  await assertThere(file, "The ISO in this VM's CD-ROM drive is not on this host: eject it, or add it again.");
}

/** That an image's file may go: no disk builds on it, and it lies in no drive. */
export async function assertImageUnused(
  sha256: string,
  specs: readonly MachineSpec[],
  layers: LayerStore,
): Promise<void> {
  if (specs.some(({ disk }) => disk.imageSha256 === sha256)) {
    throw new CumulusError("conflict", "Disks of VMs build on this image: destroy these VMs first.");
  }
  if (specs.some(({ cdrom }) => cdrom?.sha256 === sha256)) {
    throw new CumulusError("conflict", "This ISO lies in the CD-ROM drives of VMs: eject it first.");
  }
  if ((await layers.list()).some(({ imageSha256 }) => imageSha256 === sha256)) {
    throw new CumulusError("conflict", "Snapshots build on this image: delete these snapshots first.");
  }
}

async function assertThere(file: string, complaint: string): Promise<void> {
  try {
    await access(file);
  } catch (error) {
    throw new CumulusError("not_found", complaint, { cause: error });
  }
}
