import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError, messageOf } from "../../domain/errors";
import type { MachineSpec } from "../../domain/machine";
import type { TaskReport } from "../../domain/task";
import type { LaunchSpec } from "../launch";
import type { MachineState } from "../machineState";
import type { Hardware } from "../qemu/hardware";
import { lastWords } from "../qemu/process";
import type { RunningQemu } from "../runningQemu";
import { sendMemory } from "./memoryStream";

/** A guest's memory, for a QEMU that was just started. */
export interface IncomingMemory {
  hardware: Hardware;
  /** How far the guest had come when its memory was kept. */
  milestones: MachineState["milestones"];
  load(qemu: RunningQemu): Promise<void>;
}

const migrationSchema = z.object({ status: z.string().optional() });

/** The machine that a memory was kept of, as this VM. */
export function fitting(spec: MachineSpec, { vcpus, memoryBytes, machineType }: Hardware): LaunchSpec {
  return { ...spec, vcpus, memoryBytes, machineType };
}

/** Loads a memory's file into a QEMU that waits for it. Resolves when QEMU has all of it; the guest doesn't run yet. */
export async function loadMemory(
  qemu: RunningQemu,
  files: { memory: string; incoming: string; qemuLog: string },
  report: TaskReport,
  signal: AbortSignal,
): Promise<void> {
  const { size } = await stat(files.memory);
  let toldAtMs = 0;
  const onBytes = (doneBytes: number) => {
    if (Date.now() - toldAtMs < 250) return;
    toldAtMs = Date.now();
    const transfer = { doneBytes, totalBytes: size, bytesPerSecond: null };
    report.progress(30 + (60 * doneBytes) / size, "Loading the memory.", transfer);
  };
  try {
    await sendMemory(files.memory, files.incoming, onBytes, signal);
    for (;;) {
      const { status } = migrationSchema.parse(await qemu.execute("query-migrate"));
      if (status === "completed") return;
      if (status === "failed") throw new Error("QEMU did not take it");
      await delay(10);
    }
  } catch (error) {
    signal.throwIfAborted();
    const words = await lastWords(files.qemuLog);
    throw new CumulusError("internal", `The memory of the snapshot could not be loaded: ${messageOf(error)}.${words}`, {
      cause: error,
    });
  }
}
