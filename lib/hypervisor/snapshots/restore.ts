import { CumulusError, messageOf } from "../../domain/errors";
import { RestoreNotUndone } from "../../domain/restoreNotUndone";
import type { TaskReport } from "../../domain/task";
import { failpoint } from "../../failpoints";
import { syncFile, syncFolder } from "../../system/files";
import { explainFullDisk } from "../../system/fullDisk";
import { noAgentForClock } from "../clockProblem";
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
import { type Restoring, withOperation } from "../machineState";
import { machineTypesOf } from "../qemu/machineTypes";
import type { Runtime } from "../runtime";
import { settleDisk } from "../settleDisk";
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
 * Killed anywhere, the next run with the same operation does it anew or undoes it. What one could not give back stays on record under the next one, until a
 * restore is done.
 * @returns why the clock of a guest that goes on could not be set, as in `Restored`
 * @throws `RestoreNotUndone` when not even that can be done: the record keeps what was replaced
 */
export async function restoreSnapshot(
  target: SnapshotTarget,
  ask: RestoreSnapshotAsk,
  report: TaskReport,
  signal: AbortSignal,
): Promise<string | null> {
  const { context, spec, runtime } = target;
  if (isRestoreDone(runtime, ask)) return null;
  try {
    return await restoreOrUndo(target, ask, report, signal);
  } catch (error) {
    if (!isRestoreTakenOn(runtime, ask)) throw error;
    throw new RestoreNotUndone(machinePaths(context.settings, spec.id).folder, explainFullDisk(error));
  } finally {
    await settleDisk(context, spec, runtime.qemu, runtime.record).catch((error: unknown) => {
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

/** See `Hypervisor.assertRestorable`. */
export async function assertRestorable(target: SnapshotTarget, ask: RestoreSnapshotAsk): Promise<void> {
  const isBegun = isRestoreDone(target.runtime, ask) || isRestoreTakenOn(target.runtime, ask);
  if (!isBegun) await fittingSnapshot(target, ask);
}

async function restoreOrUndo(
  target: SnapshotTarget,
  ask: RestoreSnapshotAsk,
  report: TaskReport,
  signal: AbortSignal,
): Promise<string | null> {
  const { context, spec, runtime } = target;
  const { record } = runtime;
  const paths = machinePaths(context.settings, spec.id);
  const { restoring } = record.state;
  await settleDisk(context, spec, runtime.qemu, record);
  const present = await readDiskRecord(paths);
  const { operationId } = ask;
  const isTakenUp = restoring?.operationId === operationId;
  const by = isTakenUp ? restoring : { operationId, wasRunning: runtime.qemu !== null && record.seen !== null };
  const replaced = present.replaced && { ...present.replaced, by: present.replaced.by ?? restoring };
  const isSwitched = replaced?.by?.operationId === operationId;
  const before: DiskRecord = isSwitched ? { ...replaced, cut: null } : { ...present, replaced };
  const undo = await stageDiskRecord(paths, before);
  try {
    return await putBack(target, ask, { before, by }, report, signal);
  } catch (error) {
    if (!isRestoreTakenOn(runtime, ask)) throw error;
    report.log(`It fails, and is undone: ${messageOf(error)}`);
    if ((await readDiskRecord(paths)).disk !== before.disk) {
      await runtime.finish(endedForRestore);
      await undo.takeOver();
      // The QEMU that had this one open may have been ended by force.
      await record.note((state) => ({ ...state, mayLeak: true }));
    }
    // The guest has its disk back, and boots.
    if (by.wasRunning && runtime.qemu === null) await launchAgain(runtime, report);
    await record.note((state) => ({ ...state, restoring: before.replaced?.by ?? null }));
    throw error;
  } finally {
    await undo.discard();
  }
}

async function launchAgain(runtime: Runtime, report: TaskReport): Promise<void> {
  try {
    await runtime.launch();
  } catch (error) {
    report.log(`The VM has its disk back, and could not be started with it: ${messageOf(error)}`);
  }
}

const endedForRestore = { state: "stopped", stoppedBy: "request", reason: null } as const;

async function putBack(
  target: SnapshotTarget,
  ask: RestoreSnapshotAsk,
  { before, by }: { before: DiskRecord; by: Restoring },
  report: TaskReport,
  signal: AbortSignal,
): Promise<string | null> {
  const { context, spec, runtime } = target;
  const { record } = runtime;
  const snapshot = await fittingSnapshot(target, ask);
  signal.throwIfAborted();
  report.progress(5, "Preparing the disk.");
  const letGo = await holdSnapshot(context, snapshot);
  try {
    const next = await layReady(target, snapshot, { before, by });
    signal.throwIfAborted();
    await record.commit((state) => ({ ...state, restoring: by }));
    report.progress(20, "Ending the guest.");
    await runtime.finish(endedForRestore);
    failpoint("agent.restore.stopped");
    await writeDiskRecord(machinePaths(context.settings, spec.id), next);
    failpoint("agent.restore.switched");
    const clockProblem = await goOn(target, snapshot, report, signal);
    if (snapshot.running === null && by.wasRunning) await runtime.launch();
    failpoint("agent.restore.started");
    const { state: begun } = record;
    try {
      await record.commit((state) => ({
        ...withOperation(state, by.operationId),
        restoring: null,
        endedCleanly: false,
      }));
    } catch (error) {
      // Not written down it isn't done, or it would be done again later, over what the guest writes until then.
      await record.note((state) => ({ ...state, operationIds: begun.operationIds, restoring: begun.restoring }));
      throw error;
    }
    return clockProblem;
  } finally {
    letGo();
  }
}

/** Starts QEMU with the memory of the snapshot, if there is some, and sets the guest's clock. @returns why that could not be */
async function goOn(
  { context, spec, runtime }: SnapshotTarget,
  { running, manifest }: SnapshotRecord,
  report: TaskReport,
  signal: AbortSignal,
): Promise<string | null> {
  if (running === null) return null;
  const { memory } = context.snapshots.files(manifest.id);
  const { incoming, qemuLog } = machinePaths(context.settings, spec.id);
  await runtime.launch({
    ...running,
    load: (qemu) => loadMemory(qemu, { memory, incoming, qemuLog }, report, signal),
  });
  const tellClock = (problem: string) => {
    report.log(problem);
    return problem;
  };
  if (!running.hasGuestAgent) return tellClock(noAgentForClock);
  report.progress(95, "Setting the guest's clock.");
  try {
    await setGuestClock(() => runtime.guestAgent);
    return null;
  } catch (error) {
    return tellClock(`Its clock is as it was then: set it in the guest. ${messageOf(error)}`);
  }
}

/** Lays the disk and the UEFI variables ready under names of their own. @returns the record that puts them in the place of the present ones */
async function layReady(
  { context, spec }: SnapshotTarget,
  snapshot: SnapshotRecord,
  { before: { cut: _, ...had }, by }: { before: DiskRecord; by: Restoring },
): Promise<DiskRecord> {
  const paths = machinePaths(context.settings, spec.id);
  const id = newLayerId();
  const hasVars = spec.firmware === "uefi";
  const next: DiskRecord = {
    disk: diskName(id),
    uefiVars: hasVars ? uefiVarsName(id) : had.uefiVars,
    parent: snapshot.layerId,
    snapshotBelow: null,
    cut: null,
    replaced: { ...had, by },
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

/** The snapshot, without its memory where that isn't asked for. @throws `bad_request` or `wrong_state` for one that the VM can't be put back to, `unavailable` where QEMU can't be asked */
async function fittingSnapshot(
  target: SnapshotTarget,
  { snapshotId, memory = true }: RestoreSnapshotAsk,
): Promise<SnapshotRecord> {
  const whole = await target.context.snapshots.get(snapshotId);
  const snapshot = memory ? whole : { ...whole, running: null };
  await assertFits(target, snapshot);
  return snapshot;
}

async function assertFits({ context, spec }: SnapshotTarget, { manifest, running }: SnapshotRecord): Promise<void> {
  if (manifest.vmId !== spec.id) {
    throw new CumulusError("bad_request", `Snapshot ${manifest.id} is of another VM: make a new VM from it instead.`);
  }
  if (manifest.machine.arch !== spec.arch || manifest.machine.firmware !== spec.firmware) {
    throw new CumulusError("wrong_state", "The VM's firmware is not the snapshot's: make a new VM from it instead.");
  }
  if (running === null) return;
  const { machineType } = running.hardware;
  if (machineType !== undefined && !(await machineTypesOf(spec.arch)).all.includes(machineType)) {
    throw new CumulusError(
      "wrong_state",
      `The memory of this snapshot needs the machine ${machineType}, which the QEMU of this host doesn't have: it is older than the one that ran the VM then, or so much newer that it has given it up. Restore the disk alone, or install a QEMU that lists it with: qemu-system-${spec.arch} -machine help`,
    );
  }
  const now = await launchedHardware(context, fitting(spec, running.hardware));
  if (now.key === running.hardware.key) return;
  throw new CumulusError(
    "wrong_state",
    "The memory of this snapshot needs a machine with the devices, interfaces and processor that it had then, and this VM has others now. Restore its disk alone, or make a new VM from it.",
  );
}
