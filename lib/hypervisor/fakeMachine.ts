import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { CumulusError } from "../domain/errors";
import { emptyFirstBootReport } from "../domain/firstBootReport";
import { type MachineSpec, machineSpecSchema, type Observation, observationSchema } from "../domain/machine";
import type { Observed } from "../domain/vmStatus";
import { FakeTerminal } from "./fakeTerminal";

/** What stays of a fake machine over a restart. */
const savedMachineSchema = z.object({
  spec: machineSpecSchema,
  observation: observationSchema,
  /** One-time acts that were carried out. */
  operationIds: z.array(z.number()),
  /** The snapshot that its disk comes from. */
  snapshotId: z.number().nullable().default(null),
  /** Since its last boot, if any, the guest has turned itself off: it had written all. */
  endedCleanly: z.boolean().default(true),
});

export interface FakeMachine extends z.infer<typeof savedMachineSchema> {
  terminal: FakeTerminal;
  /** The text on the screen when the machine last stopped. */
  lastScreen: string | null;
  /** The next thing that the machine does by itself. */
  timer: NodeJS.Timeout | undefined;
}

export const now = (): string => new Date().toISOString();

/** What is seen of a VM that the host doesn't have. */
export function absent(id: number): Observation {
  return {
    id,
    state: "absent",
    observedAt: now(),
    reason: null,
    stoppedBy: null,
    pid: null,
    bootCount: 0,
    milestones: {},
    firstBoot: emptyFirstBootReport,
    cdromSha256: null,
    link: null,
    pendingAct: null,
  };
}

export function newMachine(spec: MachineSpec): FakeMachine {
  return {
    spec,
    observation: { ...absent(spec.id), state: "stopped" },
    operationIds: [],
    snapshotId: spec.disk.snapshotId ?? null,
    endedCleanly: true,
    terminal: new FakeTerminal().setMaxListeners(0),
    lastScreen: null,
    timer: undefined,
  };
}

export const seen = (machine: FakeMachine): Observation =>
  structuredClone({ ...machine.observation, observedAt: now() });

/** Refuses an act on a machine that is in none of the states in which it can be done. */
export function demand(machine: FakeMachine, act: string, allowed: Observed[]): void {
  const { id, state } = machine.observation;
  if (allowed.includes(state)) return;
  const message = `VM ${id} is ${state}: to ${act} it, it must be ${allowed.join(" or ")}.`;
  throw new CumulusError("wrong_state", message, { allowed });
}

export function saveMachines(file: string, machines: Iterable<FakeMachine>): void {
  const saved = Array.from(machines, ({ spec, observation, operationIds, snapshotId, endedCleanly }) => ({
    spec,
    observation,
    operationIds,
    snapshotId,
    endedCleanly,
  }));
  writeFileSync(`${file}.new`, JSON.stringify(saved), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The machines of a state file; none when there is no file. */
export function loadMachines(file: string): FakeMachine[] {
  if (!existsSync(file)) return [];
  const saved = z.array(savedMachineSchema).parse(JSON.parse(readFileSync(file, "utf8")));
  return saved.map((machine) => ({ ...newMachine(machine.spec), ...machine }));
}
