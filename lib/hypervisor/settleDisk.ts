import { messageOf } from "../domain/errors";
import type { MachineSpec } from "../domain/machine";
import type { HostContext } from "./context";
import { replacedDisks, sweepDisks, writeDiskRecord } from "./diskRecord";
import { repairLeaks } from "./leaks";
import { machinePaths } from "./machinePaths";
import type { MachineRecord } from "./machineRecord";
import type { RunningQemu } from "./runningQemu";
import { type CutTarget, settleCut } from "./snapshots/cut";

/**
 * Ends a change of the VM's disk that was begun and not ended, and removes what it left. What a restore replaced stays while the VM's state
 * tells of that restore.
 */
export async function settleDisk(
  context: HostContext,
  spec: MachineSpec,
  qemu: RunningQemu | null,
  machine: MachineRecord,
): Promise<void> {
  const paths = machinePaths(context.settings, spec.id);
  const record = await settleCut(cutTarget(context, spec, machine), qemu);
  if (machine.state.restoring !== null || record.replaced === null) return sweepDisks(paths, record);
  const done = { ...record, replaced: null };
  try {
    await writeDiskRecord(paths, done);
    for (const { disk, by } of replacedDisks(record).slice(1)) {
      context.log.warn(
        { vm: spec.id, disk, restore: by?.operationId },
        "a disk that a restore could not give back goes: a later restore is done",
      );
    }
    await sweepDisks(paths, done);
  } catch (error) {
    // It is in nobody's way but for the space that it takes.
    context.log.warn({ vm: spec.id, error: messageOf(error) }, "a disk that was replaced can't be removed yet");
  }
}

/** Carries out an act that has QEMU open a VM's disk: what QEMU is told to open is there until it has opened it. */
export async function withDiskHeld(
  context: HostContext,
  spec: MachineSpec,
  machine: MachineRecord,
  act: () => Promise<void>,
): Promise<void> {
  const target = cutTarget(context, spec, machine);
  const record = await settleCut(target, null);
  await repairLeaks(target, record);
  const { letGo } = await context.layers.holdChain(record.parent);
  try {
    await act();
  } finally {
    letGo();
  }
}

function cutTarget(context: HostContext, { id, disk }: MachineSpec, machine: MachineRecord): CutTarget {
  return { context, id, machine, imageSha256: disk.imageSha256 };
}
