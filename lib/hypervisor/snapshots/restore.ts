import { CumulusError, messageOf } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";
import { failpoint } from "../../failpoints";
import { syncFile, syncFolder } from "../../system/files";
import { copyUefiVars, createOverlayOnLayer } from "../disk";
import { inFolder } from "../diskFiles";
import { type DiskRecord, diskName, sweepDisks, uefiVarsName, writeDiskRecord } from "../diskRecord";
import type { RestoreSnapshotAsk } from "../hypervisor";
import { launchedHardware } from "../launch";
import { newLayerId } from "../layers/layerStore";
import { machinePaths } from "../machinePaths";
import { withOperation } from "../machineState";
import { settleCut } from "./cut";
import { setGuestClock } from "./heldGuest";
import type { SnapshotTarget } from "./hold";
import { holdSnapshot } from "./holdSnapshot";
import { fitting, loadMemory } from "./incoming";
import type { SnapshotRecord } from "./snapshotStore";

/**
 * See `Hypervisor.restoreSnapshot`; one call a VM at a time. The new disk is laid ready first, then the VM is ended, then one rename puts the new disk
 * in the place of the old one. What is replaced goes when the VM runs again, or is off as it was.
 */
export async function restoreSnapshot(
  target: SnapshotTarget,
  { snapshotId, operationId }: RestoreSnapshotAsk,
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const { context, spec, runtime } = target;
  const { record } = runtime;
  if (record.state.operationIds.includes(operationId)) return;
  const snapshot = await context.snapshots.get(snapshotId);
  await assertFits(target, snapshot);
  signal.throwIfAborted();
  report.progress(5, "Preparing the disk.");
  const cutTarget = { context, id: spec.id, imageSha256: spec.disk.imageSha256 };
  const before = await settleCut(cutTarget, runtime.qemu);
  const { next, letGo } = await layReady(target, snapshot, before);
  const paths = machinePaths(context.settings, spec.id);
  let present = before;
  try {
    signal.throwIfAborted();
    const { restoring } = record.state;
    const wasRunning =
      restoring?.operationId === operationId ? restoring.wasRunning : runtime.qemu !== null && record.seen !== null;
    await record.commit((state) => ({ ...state, restoring: { operationId, wasRunning } }));
    report.progress(20, "Ending the guest.");
    await runtime.finish({ state: "stopped", stoppedBy: "request", reason: null });
    failpoint("agent.restore.stopped");
    await writeDiskRecord(paths, next);
    present = next;
    failpoint("agent.restore.switched");
    try {
      if (snapshot.running !== null) await goOn(target, snapshot, report, signal);
      else if (wasRunning) await runtime.launch();
    } catch (error) {
      // The guest has its disk back, and boots.
      await writeDiskRecord(paths, before);
      present = before;
      if (wasRunning) await runtime.launch().catch(() => undefined);
      throw error;
    }
    failpoint("agent.restore.started");
    await record.commit((state) => ({ ...withOperation(state, operationId), restoring: null, endedCleanly: false }));
  } finally {
    letGo();
    await sweepDisks(paths, present);
  }
}

/** Starts QEMU with the memory of the snapshot, and sets the guest's clock. */
async function goOn(
  { context, spec, runtime }: SnapshotTarget,
  { running, manifest }: SnapshotRecord,
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  if (running === null) return;
  const { memory } = context.snapshots.files(manifest.id);
  const { incoming, qemuLog } = machinePaths(context.settings, spec.id);
  await runtime.launch({
    ...running,
    load: (qemu) => loadMemory(qemu, { memory, incoming, qemuLog }, report, signal),
  });
  report.progress(95, "Setting the guest's clock.");
  try {
    if (!running.hasGuestAgent) throw new Error("The guest has no agent, so its clock is as it was.");
    await setGuestClock(() => runtime.guestAgent);
  } catch (error) {
    report.log(messageOf(error));
  }
}

/** Lays the disk and the UEFI variables ready under names of their own. @returns the way to let go of the layers below */
async function layReady(
  { context, spec }: SnapshotTarget,
  snapshot: SnapshotRecord,
  before: DiskRecord,
): Promise<{ next: DiskRecord; letGo: () => void }> {
  const letGo = await holdSnapshot(context, snapshot);
  const paths = machinePaths(context.settings, spec.id);
  const id = newLayerId();
  const hasVars = spec.firmware === "uefi";
  const next: DiskRecord = {
    disk: diskName(id),
    uefiVars: hasVars ? uefiVarsName(id) : before.uefiVars,
    parent: snapshot.layerId,
    snapshotBelow: null,
    cut: null,
  };
  try {
    const { virtualBytes } = snapshot.manifest;
    const sizeBytes = snapshot.running === null ? Math.max(virtualBytes, spec.disk.sizeBytes) : virtualBytes;
    const user = context.users.userOf(spec.id);
    const disk = inFolder(paths, next.disk);
    await createOverlayOnLayer(disk, context.layers.file(snapshot.layerId), sizeBytes, user);
    await syncFile(disk);
    if (hasVars) {
      const vars = inFolder(paths, next.uefiVars);
      await copyUefiVars(context.snapshots.files(snapshot.manifest.id).uefiVars, vars, user);
      await syncFile(vars);
    }
    await syncFolder(paths.folder);
    failpoint("agent.restore.disk-made");
    return { next, letGo };
  } catch (error) {
    letGo();
    await sweepDisks(paths, before);
    throw error;
  }
}

async function assertFits({ context, spec }: SnapshotTarget, { manifest, running }: SnapshotRecord): Promise<void> {
  if (manifest.vmId !== spec.id) {
    throw new CumulusError("bad_request", `Snapshot ${manifest.id} is of another VM: make a new VM from it instead.`);
  }
  if (manifest.machine.arch !== spec.arch || manifest.machine.firmware !== spec.firmware) {
    throw new CumulusError("wrong_state", "The VM's firmware is not the snapshot's: make a new VM from it instead.");
  }
  if (running === null) return;
  const now = await launchedHardware(context, fitting(spec, running.hardware));
  if (now.key === running.hardware.key) return;
  throw new CumulusError(
    "wrong_state",
    "The memory of this snapshot needs a machine with the devices, interfaces and processor that it had then, and this VM has others now. Make a new VM from it, which starts from its disk alone.",
  );
}
