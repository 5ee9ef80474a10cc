import { copyFile, stat } from "node:fs/promises";
import { messageOf } from "../../domain/errors";
import type { MachineSpec } from "../../domain/machine";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import type { TaskReport } from "../../domain/task";
import { failpoint } from "../../failpoints";
import { syncFile } from "../../system/files";
import type { HostContext } from "../context";
import { inFolder } from "../diskFiles";
import type { DiskRecord } from "../diskRecord";
import type { TakeSnapshotAsk } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import type { RunningQemu } from "../runningQemu";
import type { Runtime } from "../runtime";
import { type CutTarget, openOverlay, switchToOverlay } from "./cut";
import { withFrozenFileSystems } from "./heldGuest";
import { readLiveDisk } from "./liveDisk";
import { type MemoryOut, prepareMemoryOut } from "./memoryOut";
import { PauseMeter } from "./pauseMeter";

/** QEMU writes out what its disk has in memory: on a busy disk that is long. */
const stopMs = 30_000;

/** The VM that a snapshot is taken of, or that is put back to one. */
export interface SnapshotTarget {
  context: HostContext;
  spec: MachineSpec;
  runtime: Runtime;
}

/** Where that goes which is kept of a VM beside its disk. */
export interface KeptFiles {
  uefiVars: string;
  /** Null: its memory isn't kept. */
  memory: string | null;
}

/** What is known of a snapshot when the guest goes on. */
export type Held = Pick<SnapshotManifest, "pauseMs" | "consistency">;

interface Switching {
  qemu: RunningQemu;
  record: DiskRecord;
  making: KeptFiles | null;
  ask: Pick<TakeSnapshotAsk, "memory" | "freeze">;
}

/** The part in which the guest is held: as little as possible is done while it is. */
export async function switchRunning(
  target: SnapshotTarget,
  cutTarget: CutTarget,
  { qemu, record, making, ask }: Switching,
  report: TaskReport,
  signal: AbortSignal,
): Promise<Held> {
  const { context, spec, runtime } = target;
  const paths = machinePaths(context.settings, spec.id);
  const wasRunning = (await qemu.status()) === "running";
  await openOverlay(cutTarget, record, qemu);
  const { node } = await readLiveDisk(qemu);
  const { hardware } = runtime.record.state;
  const memoryFile = ask.memory ? (making?.memory ?? null) : null;
  const memoryOut =
    memoryFile !== null
      ? await prepareMemoryOut(
          context,
          { id: spec.id, memoryBytes: hardware?.memoryBytes ?? spec.memoryBytes, wantsLive: wasRunning },
          qemu,
          memoryFile,
          report,
        )
      : null;
  const meter = new PauseMeter(qemu);
  const agent = wasRunning && ask.freeze ? runtime.guestAgent : null;
  try {
    // A guest whose memory is kept frozen would wake up frozen. What it holds back is written out just before: its disk may come back without its memory.
    if (ask.memory) await withFrozenFileSystems(agent, context.log, async () => {});
    // What QEMU would have to write out while the guest stands still is written now.
    await syncFile(inFolder(paths, record.disk));
    await keepUefiVars(target, record, making);
    if (wasRunning) await runtime.record.commit((state) => ({ ...state, isHeld: true }));
    signal.throwIfAborted();
    report.progress(15, "Holding the guest for a moment.");
    const freezer = ask.memory ? null : agent;
    const { wasFrozen } = await withFrozenFileSystems(freezer, context.log, async () => {
      await syncFile(inFolder(paths, record.disk));
      await holdAndSwitch({ target, qemu, record, making, memoryOut, node, wasRunning });
    });
    failpoint("agent.snapshot.resumed");
    await memoryOut?.done();
    signal.throwIfAborted();
    return { pauseMs: meter.pauseMs, consistency: memoryOut ? "memory" : wasFrozen ? "filesystem" : "crash" };
  } finally {
    meter.close();
    await memoryOut?.close();
    if (wasRunning && !qemu.hasEnded) await letGoOn(target, qemu);
  }
}

/** A QEMU that doesn't answer now may yet stop the guest: `Runtime` lets that go on when it does answer. */
async function letGoOn({ context, spec, runtime }: SnapshotTarget, qemu: RunningQemu): Promise<void> {
  try {
    if ((await qemu.status()) !== "running") await qemu.execute("cont");
    await runtime.record.note((state) => ({ ...state, isHeld: false }));
    await qemu.status();
  } catch (error) {
    context.log.warn({ vm: spec.id, error: messageOf(error) }, "a guest can't be let go on before its QEMU answers");
  }
}

async function holdAndSwitch(held: {
  target: SnapshotTarget;
  qemu: RunningQemu;
  record: DiskRecord;
  making: KeptFiles | null;
  memoryOut: MemoryOut | null;
  node: string;
  wasRunning: boolean;
}): Promise<void> {
  const { target, qemu, record, making, memoryOut, node, wasRunning } = held;
  if (wasRunning) await qemu.execute("stop", {}, stopMs);
  failpoint("agent.snapshot.held");
  await switchToOverlay(record, qemu, node);
  failpoint("agent.snapshot.switched");
  await keepUefiVars(target, record, making);
  await memoryOut?.begin();
  if (wasRunning && memoryOut?.isLive !== true) await qemu.execute("cont");
}

/** Copies the UEFI variables, unless they are as they were when they were last copied. */
export async function keepUefiVars(
  { context, spec }: SnapshotTarget,
  record: DiskRecord,
  making: KeptFiles | null,
): Promise<void> {
  if (making === null || spec.firmware !== "uefi") return;
  const from = inFolder(machinePaths(context.settings, spec.id), record.uefiVars);
  const [now, kept] = await Promise.all([stat(from), stat(making.uefiVars).catch(() => null)]);
  if (kept === null || kept.mtimeMs <= now.mtimeMs) await copyFile(from, making.uefiVars);
}
