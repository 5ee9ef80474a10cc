import { EventEmitter } from "node:events";
import { CumulusError } from "../domain/errors";
import { liveLinkOf, type Observation, startedLinkOf } from "../domain/machine";
import type { TimelineStep } from "../domain/timeline";
import { type FakeMachine, now, saveMachines, seen } from "./fakeMachine";

const bootLines: Partial<Record<TimelineStep, string>> = {
  kernel: "Linux version 6.1.0-fake\r\n",
  network: "eth0: link becomes ready\r\n",
  "first-boot": "first boot done\r\n",
  ssh: "\r\nfake login: ",
};
const bootSteps = Object.keys(bootLines) as TimelineStep[];

/** The machines of the fake hypervisor, and what becomes of each of them: it boots, step by step, and ends. */
export class FakeMachines {
  readonly all = new Map<number, FakeMachine>();
  private readonly changes = new EventEmitter<{ change: [Observation] }>().setMaxListeners(0);

  /**
   * @param stepMs the time between two steps of a boot
   * @param stateFile where they are kept, if at all
   */
  constructor(
    private readonly stepMs: number,
    private readonly stateFile: string | undefined,
  ) {}

  find(id: number): FakeMachine {
    const machine = this.all.get(id);
    if (machine) return machine;
    throw new CumulusError("not_found", `There is no VM ${id} on this host.`);
  }

  change(machine: FakeMachine, change: Partial<Observation>): Observation {
    Object.assign(machine.observation, change, { observedAt: now() });
    this.save();
    const observation = seen(machine);
    this.changes.emit("change", observation);
    return observation;
  }

  save(): void {
    if (this.stateFile) saveMachines(this.stateFile, this.all.values());
  }

  later(machine: FakeMachine, afterMs: number, act: () => void): void {
    clearTimeout(machine.timer);
    machine.timer = setTimeout(act, afterMs);
  }

  /** @param resumed how far the guest had come that goes on with its memory; null: it boots */
  boot(machine: FakeMachine, resumed: Observation["milestones"] | null = null): Observation {
    const { milestones, bootCount, id } = machine.observation;
    this.goOnBooting(machine);
    return this.change(machine, {
      state: "running",
      reason: null,
      stoppedBy: null,
      pid: 1_000_000 + id,
      bootCount: resumed ? bootCount : bootCount + 1,
      link: liveLinkOf(machine.spec, startedLinkOf(machine.spec)),
      milestones: resumed ?? { disk: milestones.disk, started: now() },
      pendingAct: null,
    });
  }

  /** Has it reach the next step of its boot after a while, and so on. */
  goOnBooting(machine: FakeMachine): void {
    this.later(machine, this.stepMs, () => this.reachNext(machine));
  }

  private reachNext(machine: FakeMachine): void {
    const { milestones, state } = machine.observation;
    const step = bootSteps.find((step) => milestones[step] === undefined);
    if (!step || state !== "running") return;
    this.goOnBooting(machine);
    machine.terminal.print(bootLines[step] ?? "");
    this.change(machine, { milestones: { ...milestones, [step]: now() } });
  }

  /** @param cleanly the guest turned itself off */
  end(machine: FakeMachine, how: Partial<Observation>, cleanly = false): Observation {
    clearTimeout(machine.timer);
    machine.endedCleanly = cleanly;
    if (machine.observation.pid !== null) machine.lastScreen = machine.terminal.log;
    machine.terminal.emit("off");
    return this.change(machine, { ...how, pid: null, link: null, pendingAct: null });
  }

  /** Calls the listener on every change until the returned function is called. */
  watch(listener: (observation: Observation) => void): () => void {
    this.changes.on("change", listener);
    return () => this.changes.off("change", listener);
  }

  close(): void {
    for (const machine of this.all.values()) clearTimeout(machine.timer);
    this.changes.removeAllListeners();
  }
}
