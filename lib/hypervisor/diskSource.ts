import { CumulusError } from "../domain/errors";
import type { MachineSpec } from "../domain/machine";
import { formatBytes } from "../domain/units";
import { pathsOf } from "../env";
import { imageFile } from "../images/store";
import { variablesFile } from "../images/variables";
import type { MachineUser } from "../system/machineUsers";
import type { HostContext } from "./context";
import { createEmptyDisk, createOverlay, createOverlayOnLayer } from "./disk";
import { firstDisk, writeDiskRecord } from "./diskRecord";
import { assertImage, assertVariables } from "./imageFiles";
import type { filesIn } from "./machinePaths";
import { holdSnapshot } from "./snapshots/holdSnapshot";

export interface DiskSource {
  makeDisk(making: Making, user: MachineUser | null): Promise<void>;
  /** Variables to start with; null: empty ones. */
  uefiVars: string | null;
  letGo(): void;
}

type Making = ReturnType<typeof filesIn>;

/** What a VM's disk is made of: an image, a snapshot, or nothing. */
export async function diskSource(context: HostContext, { disk, firmware, arch }: MachineSpec): Promise<DiskSource> {
  const { imageSha256, sizeBytes, snapshotId, variablesSha256 } = disk;
  if (snapshotId !== undefined) return snapshotSource(context, snapshotId, { sizeBytes, firmware, arch });
  const paths = pathsOf(context.settings);
  const image = imageSha256 && imageFile(paths, imageSha256);
  if (image !== null) await assertImage(image);
  const uefiVars = variablesSha256 === undefined ? null : variablesFile(paths, variablesSha256);
  if (uefiVars !== null) await assertVariables(uefiVars);
  return {
    makeDisk: (making, user) =>
      image === null
        ? createEmptyDisk(making.disk, sizeBytes, user)
        : createOverlay(making.disk, image, sizeBytes, user),
    uefiVars,
    letGo: () => {},
  };
}

async function snapshotSource(
  context: HostContext,
  snapshotId: number,
  wanted: { sizeBytes: number } & Pick<MachineSpec, "firmware" | "arch">,
): Promise<DiskSource> {
  const snapshot = await context.snapshots.get(snapshotId);
  const { virtualBytes, machine } = snapshot.manifest;
  if (machine.arch !== wanted.arch || machine.firmware !== wanted.firmware) {
    throw new CumulusError(
      "bad_request",
      `A VM from this snapshot must be as the one that it was taken of: ${machine.arch}, ${machine.firmware}.`,
    );
  }
  if (wanted.sizeBytes < virtualBytes) {
    throw new CumulusError(
      "bad_request",
      `The disk must be at least ${formatBytes(virtualBytes)}, as large as the snapshot that it starts from.`,
    );
  }
  const letGo = await holdSnapshot(context, snapshot);
  const { layerId } = snapshot;
  return {
    makeDisk: async (making, user) => {
      await createOverlayOnLayer(making.disk, context.layers.file(layerId), wanted.sizeBytes, user);
      await writeDiskRecord(making, { ...firstDisk, parent: layerId });
    },
    uefiVars: machine.firmware === "uefi" ? context.snapshots.files(snapshotId).uefiVars : null,
    letGo,
  };
}
