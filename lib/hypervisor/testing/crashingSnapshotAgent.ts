import { writeFileSync, writeSync } from "node:fs";
import type { MachineSpec } from "../../domain/machine";
import type { TaskReport } from "../../domain/task";
import type { Settings } from "../../env";
import type { Failpoint } from "../../failpoints";
import { createQemuHypervisor, type QemuHypervisorOptions } from "../qemuHypervisor";
import { until } from "./until";

/** What an agent for fault tests does to VM 1 of a test's host, which has the snapshots 1, 2 and 3. */
export type SnapshotAct =
  | "take"
  | "take-memory"
  /** With memory that is copied, as if it were much. */
  | "take-copied"
  | "restore"
  | "restore-memory"
  /** Of another operation than the others. */
  | "restore-next"
  | "remove-middle"
  | "remove-newest"
  /** Snapshots until there are eight, which are folded. */
  | "fold"
  | "clone";

export interface CrashingSnapshotAgent {
  settings: Settings;
  act: SnapshotAct;
  failpoint: Failpoint;
  /** Of the clone. */
  spec: MachineSpec;
  /** Whether the guest has an agent, which is to answer before the act begins. */
  hasGuestAgent?: boolean;
}

/** Of the agent that is to carry out an act. */
export function agentOptionsOf(act: SnapshotAct): Pick<QemuHypervisorOptions, "copiesMemoryAboveBytes"> {
  return act === "take-copied" ? { copiesMemoryAboveBytes: 0 } : {};
}

const silentReport: TaskReport = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

/** Carries out an act, and what follows from it in the background. The same act twice is done once. */
export async function perform(
  hypervisor: ReturnType<typeof createQemuHypervisor>,
  act: SnapshotAct,
  spec: MachineSpec,
  report = silentReport,
): Promise<void> {
  const take = { snapshotId: 9, operationId: 9, freeze: true };
  if (act === "take") await hypervisor.takeSnapshot(1, { ...take, memory: false }, report, signal);
  if (act === "take-memory" || act === "take-copied")
    await hypervisor.takeSnapshot(1, { ...take, memory: true }, report, signal);
  if (act === "restore") await hypervisor.restoreSnapshot(1, { snapshotId: 2, operationId: 9 }, report, signal);
  if (act === "restore-memory") await hypervisor.restoreSnapshot(1, { snapshotId: 4, operationId: 9 }, report, signal);
  if (act === "restore-next") await hypervisor.restoreSnapshot(1, { snapshotId: 3, operationId: 10 }, report, signal);
  if (act === "remove-middle") await hypervisor.removeSnapshot(2);
  if (act === "remove-newest") await hypervisor.removeSnapshot(3);
  for (const snapshotId of act === "fold" ? [5, 6, 7, 8, 9] : []) {
    await hypervisor.takeSnapshot(1, { ...take, snapshotId, memory: false }, report, signal);
  }
  if (act === "clone") await hypervisor.ensure(spec);
}

/** Until the guest's agent answers, which a snapshot with frozen file systems says. */
async function untilFreezes(hypervisor: ReturnType<typeof createQemuHypervisor>): Promise<void> {
  const ask = { snapshotId: 8, operationId: 8, memory: false, freeze: true };
  await until(async () => {
    const { consistency } = await hypervisor.takeSnapshot(1, ask, silentReport, signal);
    await hypervisor.removeSnapshot(ask.snapshotId);
    return consistency === "filesystem";
  }, 30_000);
}

/** An agent in a process of its own, which ends by SIGKILL where it is told to. Its one argument is JSON. */
async function main(): Promise<void> {
  const { settings, act, failpoint, spec, hasGuestAgent }: CrashingSnapshotAgent = JSON.parse(process.argv[2] ?? "");
  const silent = () => {};
  const hypervisor = createQemuHypervisor({
    settings,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    ...agentOptionsOf(act),
  });
  await hypervisor.recover();
  if (hasGuestAgent) await untilFreezes(hypervisor);
  writeFileSync(process.env.CUMULUS_FAILPOINT_FILE ?? "", `${failpoint} ${process.pid}`);
  await perform(hypervisor, act, spec, { ...silentReport, log: (line) => writeSync(1, `${line}\n`) });
  // What goes on in the background comes to its place, or the test's deadline does.
  await until(() => false, 60_000);
}

if (process.env.CUMULUS_FAILPOINT_FILE !== undefined) void main();
