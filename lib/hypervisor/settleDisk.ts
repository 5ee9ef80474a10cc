import type { MachineSpec } from "../domain/machine";
import type { HostContext } from "./context";
import { readDiskRecord, sweepDisks } from "./diskRecord";
import { machinePaths } from "./machinePaths";
import type { RunningQemu } from "./runningQemu";
import { type CutTarget, settleCut } from "./snapshots/cut";

/** Ends a change of the VM's disk that was begun and not ended, and removes what it left. */
export async function settleDisk(context: HostContext, spec: MachineSpec, qemu: RunningQemu | null): Promise<void> {
  await sweepDisks(machinePaths(context.settings, spec.id), await settleCut(cutTarget(context, spec), qemu));
}

/** Carries out an act that has QEMU open a VM's disk: what QEMU is told to open is there until it has opened it. */
export async function withDiskHeld(context: HostContext, spec: MachineSpec, act: () => Promise<void>): Promise<void> {
  await settleCut(cutTarget(context, spec), null);
  const { parent } = await readDiskRecord(machinePaths(context.settings, spec.id));
  const { letGo } = await context.layers.holdChain(parent);
  try {
    await act();
  } finally {
    letGo();
  }
}

function cutTarget(context: HostContext, { id, disk }: MachineSpec): CutTarget {
  return { context, id, imageSha256: disk.imageSha256 };
}
