import { rm } from "node:fs/promises";
import { CumulusError } from "../../domain/errors";
import type { MachineSpec } from "../../domain/machine";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import type { TaskReport } from "../../domain/task";
import { failpoint } from "../../failpoints";
import { syncFile } from "../../system/files";
import type { TakeSnapshotAsk } from "../hypervisor";
import { launchedHardware } from "../launch";
import { repairLeaks } from "../leaks";
import type { Hardware } from "../qemu/hardware";
import type { Runtime } from "../runtime";
import { beginCut, finishCut, settleCut } from "./cut";
import { type Held, type KeptFiles, keepUefiVars, type SnapshotTarget, switchRunning } from "./hold";
import { fitting } from "./incoming";
import { onceBytes } from "./memoryBytes";
import { assertRoom } from "./room";
import { allocatedBytes } from "./snapshotStore";

/** See `Hypervisor.takeSnapshot`; one call a VM at a time. */
export async function takeSnapshot(
  target: SnapshotTarget,
  ask: TakeSnapshotAsk,
  report: TaskReport,
  signal: AbortSignal,
): Promise<SnapshotManifest> {
  const { context, spec, runtime } = target;
  const { snapshots } = context;
  const { snapshotId, memory } = ask;
  const present = await snapshots.find(snapshotId);
  if (present !== null) return present.manifest;
  const hardware = memory ? await hardwareOfRunning(target) : null;
  await assertRoom(
    context.settings,
    hardware === null ? 0 : onceBytes({ arch: spec.arch, memoryBytes: hardware.memoryBytes }),
  );
  signal.throwIfAborted();
  report.progress(5, "Preparing the disk.");
  const { milestones } = runtime.record.state;
  const hasGuestAgent = runtime.guestAgent?.isAlive === true;
  const making = await snapshots.begin(snapshotId);
  try {
    const { layerId, held } = await cutAt(target, making, ask, report, signal);
    const { virtualBytes, snapshotBelow } = await context.layers.read(layerId);
    if (spec.firmware === "uefi") await syncFile(making.uefiVars);
    failpoint("agent.snapshot.before-complete");
    await snapshots.complete({
      layerId,
      running: hardware && { hardware, milestones, hasGuestAgent },
      manifest: {
        id: snapshotId,
        vmId: spec.id,
        createdAt: new Date().toISOString(),
        hasMemory: memory,
        hasGuestAgent: memory ? hasGuestAgent : null,
        ...held,
        diskBytes: 0,
        foldedBytes: 0,
        memoryBytes: await allocatedBytes(making.memory),
        virtualBytes,
        machine: machineOf(spec, runtime),
        parentId: snapshotBelow,
      },
    });
    failpoint("agent.snapshot.complete");
  } finally {
    await snapshots.abandon(snapshotId);
  }
  const taken = await snapshots.find(snapshotId);
  if (taken !== null) return taken.manifest;
  throw new CumulusError("conflict", "The snapshot was removed as soon as it was taken.");
}

/**
 * Makes a layer of the VM's disk as it is at one instant, without a snapshot that names it.
 * @param uefiVars where its UEFI variables of that instant go, if it has some and they are wanted
 */
export async function cutDisk(
  target: SnapshotTarget,
  uefiVars: string | undefined,
  report: TaskReport,
  signal: AbortSignal,
): Promise<string> {
  await assertRoom(target.context.settings, 0);
  const kept = uefiVars === undefined ? null : { uefiVars, memory: null };
  return (await cutAt(target, kept, { memory: false, freeze: true }, report, signal)).layerId;
}

async function cutAt(
  target: SnapshotTarget,
  making: KeptFiles | null,
  ask: Pick<TakeSnapshotAsk, "memory" | "freeze">,
  report: TaskReport,
  signal: AbortSignal,
): Promise<{ layerId: string; held: Held }> {
  const { context, spec, runtime } = target;
  const { qemu } = runtime;
  const cutTarget = { context, id: spec.id, machine: runtime.record, imageSha256: spec.disk.imageSha256 };
  const before = await settleCut(cutTarget, qemu);
  if (qemu === null) {
    const held: Held = { pauseMs: 0, consistency: runtime.record.state.endedCleanly ? "filesystem" : "crash" };
    await repairLeaks(cutTarget, before);
    await keepUefiVars(target, before, making);
    const record = await beginCut(cutTarget);
    failpoint("agent.snapshot.cut-written");
    return { layerId: await finishCut(cutTarget, record), held };
  }
  try {
    const record = await beginCut(cutTarget);
    failpoint("agent.snapshot.cut-written");
    const held = await switchRunning(target, cutTarget, { qemu, record, making, ask }, report, signal);
    return { layerId: await finishCut(cutTarget, record), held };
  } catch (error) {
    // What there is of its memory is of no use, and may have taken the room that is needed to settle.
    if (making?.memory) await rm(making.memory, { force: true });
    // Whatever happened, the VM's disk is one file or the other: QEMU knows, or its end has decided it.
    await settleCut(cutTarget, qemu.hasEnded ? null : qemu);
    throw error;
  }
}

/** What a memory snapshot can be loaded into later. */
async function hardwareOfRunning({ context, spec, runtime: { qemu, record } }: SnapshotTarget): Promise<Hardware> {
  const allowed = ["running", "paused"];
  if (qemu === null || record.seen === null) {
    throw new CumulusError(
      "wrong_state",
      "A VM that is off has no memory to keep: take a snapshot of its disk alone, or start it.",
      { allowed },
    );
  }
  const { hardware, isHeld } = record.state;
  // QEMU leaves that state by letting the guest run alone; one that is held by an agent which is no more is let go on anyway.
  if (!isHeld && (await qemu.status()) === "postmigrate") {
    throw new CumulusError(
      "conflict",
      "This VM is paused, and QEMU reads a memory once for each time that the VM is paused, which it has done. Resume the VM and pause it again, or take its disk alone.",
    );
  }
  if (hardware !== null) {
    const { machineType } = hardware;
    return { ...(await launchedHardware(context, fitting(spec, hardware))), machineType };
  }
  throw new CumulusError(
    "wrong_state",
    "This VM was started by an older Cumulus, which didn't note its hardware: turn it off and on once, or take its disk alone.",
    { allowed },
  );
}

function machineOf({ vcpus, memoryBytes, arch, firmware, disk }: MachineSpec, { record }: Runtime) {
  const { hardware } = record.state;
  return {
    vcpus: hardware?.vcpus ?? vcpus,
    memoryBytes: hardware?.memoryBytes ?? memoryBytes,
    arch,
    firmware,
    imageSha256: disk.imageSha256,
  };
}
