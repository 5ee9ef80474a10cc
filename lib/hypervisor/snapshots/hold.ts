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
import { releaseGuest, withFrozenFileSystems } from "./heldGuest";
import { readLiveDisk } from "./liveDisk";
import { type MemoryOut, prepareLiveMemoryOut, prepareMemoryOut } from "./memoryOut";
import { endSending, holdMs } from "./outgoingMemory";
import { PauseMeter } from "./pauseMeter";

/** File times are as coarse as the kernel's clock ticks. */
const freshMs = 1_000;

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
  // By an agent that is gone, or by this one while QEMU didn't answer.
  if (runtime.record.state.isHeld && !(await releaseGuest(qemu))) {
    await endSending(qemu);
    await releaseGuest(qemu);
  }
  const wasRunning = (await qemu.status()) === "running";
  await openOverlay(cutTarget, record, qemu);
  const { node } = await readLiveDisk(qemu);
  const { hardware } = runtime.record.state;
  const memoryFile = ask.memory ? (making?.memory ?? null) : null;
  const memoryBytes = hardware?.memoryBytes ?? spec.memoryBytes;
  const meter = new PauseMeter(qemu);
  // One that doesn't answer now is not asked later.
  const agent = wasRunning && ask.freeze && runtime.guestAgent?.isAlive ? runtime.guestAgent : null;
  // What QEMU would have to write out while the guest stands still is written before.
  const flush = () => syncFile(inFolder(paths, record.disk));
  const flushOnce = oneAtATime(flush, (error) => {
    context.log.warn({ vm: spec.id, error: messageOf(error) }, "what a guest wrote can't be written out yet");
  });
  let memoryOut: MemoryOut | null = null;
  try {
    // Whatever is done to the guest from here on, an agent that comes after this one undoes.
    if (wasRunning) {
      await runtime.record.commit((state) => ({
        ...state,
        isHeld: true,
        mayBeFrozen: state.mayBeFrozen || agent !== null,
      }));
    }
    // A guest whose memory is kept frozen would wake up frozen. What it holds back is written out before: its disk may come back without its memory.
    if (ask.memory) await withFrozenFileSystems(agent, context.log, async () => failpoint("agent.snapshot.frozen"));
    await flush();
    const varsAsOfNs = await keepUefiVars(target, record, making);
    signal.throwIfAborted();
    if (memoryFile !== null) {
      const work = { vm: { id: spec.id, arch: spec.arch, memoryBytes }, qemu, file: memoryFile, report, signal };
      memoryOut = await (wasRunning ? prepareLiveMemoryOut(context, work, flushOnce) : prepareMemoryOut(context, work));
    }
    report.progress(memoryOut?.isHolding ? 90 : 15, "Holding the guest for a moment.");
    const holding = { target, qemu, record, making, memoryOut, node, wasRunning, varsAsOfNs };
    const freezer = ask.memory ? null : agent;
    const { wasFrozen } = await withFrozenFileSystems(freezer, context.log, async () => {
      failpoint("agent.snapshot.frozen");
      if (!memoryOut?.isHolding) await flush();
      await holdAndSwitch(holding);
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
    if (!(await releaseGuest(qemu))) return;
    await runtime.record.note((state) => ({ ...state, isHeld: false }));
    runtime.holdEnding.thawIfFrozen();
    await qemu.status();
  } catch (error) {
    context.log.warn({ vm: spec.id, error: messageOf(error) }, "a guest can't be let go on before its QEMU answers");
  }
}

/** Begins an act whenever it is called, unless it is under way. */
function oneAtATime(act: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    isUnderWay = true;
    act()
      .catch(onError)
      .finally(() => {
        isUnderWay = false;
      });
  };
}

async function holdAndSwitch(held: {
  target: SnapshotTarget;
  qemu: RunningQemu;
  record: DiskRecord;
  making: KeptFiles | null;
  memoryOut: MemoryOut | null;
  node: string;
  wasRunning: boolean;
  varsAsOfNs: bigint | null;
}): Promise<void> {
  const { target, qemu, record, making, memoryOut, node, wasRunning, varsAsOfNs } = held;
  if (wasRunning && !memoryOut?.isHolding) await qemu.execute("stop", {}, holdMs);
  failpoint("agent.snapshot.held");
  await switchToOverlay(record, qemu, node);
  failpoint("agent.snapshot.switched");
  await keepUefiVars(target, record, making, varsAsOfNs);
  await memoryOut?.begin();
  if (wasRunning && memoryOut?.isLive !== true) await qemu.execute("cont", {}, holdMs);
}

/**
 * Copies the UEFI variables, unless they are as they were when they were last copied.
 * @param asOfNs what this has answered then
 * @returns when the guest had last written them before they were copied; null when there is nothing to keep, or that was so lately that times can't tell
 */
export async function keepUefiVars(
  { context, spec }: SnapshotTarget,
  record: DiskRecord,
  making: KeptFiles | null,
  asOfNs: bigint | null = null,
): Promise<bigint | null> {
  if (making === null || spec.firmware !== "uefi") return null;
  const from = inFolder(machinePaths(context.settings, spec.id), record.uefiVars);
  const { mtimeNs } = await stat(from, { bigint: true });
  const isFresh = Date.now() - Number(mtimeNs / 1_000_000n) < freshMs;
  if (mtimeNs !== asOfNs) await copyFile(from, making.uefiVars);
  return isFresh ? null : mtimeNs;
}
