import { CumulusError, messageOf } from "../../domain/errors";
import { RestoreNotUndone } from "../../domain/restoreNotUndone";
import type { TaskReport } from "../../domain/task";
import { failpoint } from "../../failpoints";
import { syncFile, syncFolder } from "../../system/files";
import { explainFullDisk } from "../../system/fullDisk";
import { copyUefiVars, createOverlayOnLayer } from "../disk";
import { inFolder } from "../diskFiles";
import {
  type DiskRecord,
  diskName,
  readDiskRecord,
  stageDiskRecord,
  uefiVarsName,
  writeDiskRecord,
} from "../diskRecord";
import type { RestoreSnapshotAsk } from "../hypervisor";
import { launchedHardware } from "../launch";
import { newLayerId } from "../layers/layerStore";
import { machinePaths } from "../machinePaths";
import { withOperation } from "../machineState";
import type { Runtime } from "../runtime";
import { settleDisk } from "../settleDisk";
import { settleCut } from "./cut";
import { setGuestClock } from "./heldGuest";
import type { SnapshotTarget } from "./hold";
import { holdSnapshot } from "./holdSnapshot";
import { fitting, loadMemory } from "./incoming";
import type { SnapshotRecord } from "./snapshotStore";

/**
 * See `Hypervisor.restoreSnapshot`; one call a VM at a time. The new disk is laid ready first, then the VM is ended, then one rename puts the new disk
 * in the place of the old one, which stays on record until the VM runs again, or is off as it was.
 *
 *     restoring ── switch ──▶ record with what it replaced ── done ──▶ restoring no more, and what was replaced goes
 *         └──────────────────────────┴── undo: the record as it was; restoring no more
 *
 * Killed anywhere, the next run with the same operation does it anew or undoes it.
 * @throws `RestoreNotUndone` when not even that can be done: the record keeps what was replaced
 */
export async function restoreSnapshot(
  target: SnapshotTarget,
  ask: RestoreSnapshotAsk,
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const { context, spec, runtime } = target;
  if (isRestoreDone(runtime, ask)) return;
  try {
    await restoreOrUndo(target, ask, report, signal);
  } catch (error) {
    if (!isRestoreTakenOn(runtime, ask)) throw error;
    throw new RestoreNotUndone(machinePaths(context.settings, spec.id).folder, explainFullDisk(error));
  } finally {
    await settleDisk(context, spec, runtime.qemu, runtime.record.state).catch((error: unknown) => {
      context.log.warn({ vm: spec.id, error: messageOf(error) }, "what a restore left can't be removed yet");
    });
  }
}

/** Whether a restore that is asked for was done before. */
export function isRestoreDone({ record }: Runtime, { operationId }: RestoreSnapshotAsk): boolean {
  return record.state.operationIds.includes(operationId);
}

/** Whether a restore was begun, and is neither done nor undone. */
export function isRestoreTakenOn({ record }: Runtime, { operationId }: RestoreSnapshotAsk): boolean {
  return record.state.restoring?.operationId === operationId;
}

async function restoreOrUndo(
  target: SnapshotTarget,
  ask: RestoreSnapshotAsk,
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const { context, spec, runtime } = target;
  const { record } = runtime;
  const paths = machinePaths(context.settings, spec.id);
  const present = await settleCut({ context, id: spec.id, imageSha256: spec.disk.imageSha256 }, runtime.qemu);
  const { restoring } = record.state;
  const isTakenUp = restoring?.operationId === ask.operationId;
  const former = isTakenUp ? present.replaced : null;
  const before: DiskRecord = { ...present, ...former, replaced: null };
  const wasRunning = isTakenUp ? restoring.wasRunning : runtime.qemu !== null && record.seen !== null;
  const undo = await stageDiskRecord(paths, before);
  try {
    await putBack(target, ask, { before, wasRunning }, report, signal);
  } catch (error) {
    if (!isRestoreTakenOn(runtime, ask)) throw error;
    report.log(`It fails, and is undone: ${messageOf(error)}`);
    if ((await readDiskRecord(paths)).disk !== before.disk) {
      await runtime.finish(endedForRestore);
      await undo.takeOver();
    }
    // The guest has its disk back, and boots.
    if (wasRunning && runtime.qemu === null) await runtime.launch().catch(() => undefined);
    await record.note((state) => ({ ...state, restoring: null }));
    throw error;
  } finally {
    await undo.discard();
  }
}

const endedForRestore = { state: "stopped", stoppedBy: "request", reason: null } as const;

async function putBack(
  target: SnapshotTarget,
  { snapshotId, operationId, memory = true }: RestoreSnapshotAsk,
  { before, wasRunning }: { before: DiskRecord; wasRunning: boolean },
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const { context, spec, runtime } = target;
  const { record } = runtime;
  const whole = await context.snapshots.get(snapshotId);
  const snapshot = memory ? whole : { ...whole, running: null };
  await assertFits(target, snapshot);
  signal.throwIfAborted();
  report.progress(5, "Preparing the disk.");
  const letGo = await holdSnapshot(context, snapshot);
  try {
    const next = await layReady(target, snapshot, before);
    signal.throwIfAborted();
    await record.commit((state) => ({ ...state, restoring: { operationId, wasRunning } }));
    report.progress(20, "Ending the guest.");
    await runtime.finish(endedForRestore);
    failpoint("agent.restore.stopped");
    await writeDiskRecord(machinePaths(context.settings, spec.id), next);
    failpoint("agent.restore.switched");
    if (snapshot.running !== null) await goOn(target, snapshot, report, signal);
    else if (wasRunning) await runtime.launch();
    failpoint("agent.restore.started");
    const { state: begun } = record;
    try {
      await record.commit((state) => ({ ...withOperation(state, operationId), restoring: null, endedCleanly: false }));
    } catch (error) {
      // Not written down it isn't done, or it would be done again later, over what the guest writes until then.
      await record.note((state) => ({ ...state, operationIds: begun.operationIds, restoring: begun.restoring }));
      throw error;
    }
  } finally {
    letGo();
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

/** Lays the disk and the UEFI variables ready under names of their own. @returns the record that puts them in the place of the present ones */
async function layReady(
  { context, spec }: SnapshotTarget,
  snapshot: SnapshotRecord,
  before: DiskRecord,
): Promise<DiskRecord> {
  const paths = machinePaths(context.settings, spec.id);
  const id = newLayerId();
  const hasVars = spec.firmware === "uefi";
  const next: DiskRecord = {
    disk: diskName(id),
    uefiVars: hasVars ? uefiVarsName(id) : before.uefiVars,
    parent: snapshot.layerId,
    snapshotBelow: null,
    cut: null,
    replaced: before,
  };
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
  return next;
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
    "The memory of this snapshot needs a machine with the devices, interfaces and processor that it had then, and this VM has others now. Restore its disk alone, or make a new VM from it.",
  );
}
