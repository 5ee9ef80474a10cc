import { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../domain/errors";
import type { Observation } from "../domain/machine";
import type { TimelineStep } from "../domain/timeline";
import type { Observed } from "../domain/vmStatus";
import { fakeHostReport, fakeImage } from "./fakeHost";
import { absent, type FakeMachine, loadMachines, newMachine, now, saveMachines } from "./fakeMachine";
import { drawText, encodePng } from "./fakeScreen";
import { openFakeVnc } from "./fakeVnc";
import type { Hypervisor } from "./hypervisor";

export interface FakeOptions {
  /** Time between the steps of a boot. */
  stepMs?: number;
  /** Time that a guest takes to power off, or to go down for a reboot. */
  shutdownMs?: number;
  /** Time that typing a character takes. */
  keyMs?: number;
  /** Where machines are kept, so that a new fake on the same file takes them up. */
  stateFile?: string;
}

export interface FakeHypervisor extends Hypervisor {
  /** What a test does to a machine from outside: QEMU dies. */
  crash(id: number): void;
  /** The guest powers itself off. */
  powerOff(id: number): void;
}

const bootLines: Partial<Record<TimelineStep, string>> = {
  kernel: "Linux version 6.1.0-fake\r\n",
  network: "eth0: link becomes ready\r\n",
  "first-boot": "first boot done\r\n",
  ssh: "\r\nfake login: ",
};
const bootSteps = Object.keys(bootLines) as TimelineStep[];

/**
 * Virtual machines that exist in memory only, with the meaning of the real hypervisor: for tests of what lies above it, benches with
 * a thousand VMs, and work on the dashboard without QEMU. It boots nothing, so it proves nothing about QEMU.
 */
export function createFakeHypervisor(options: FakeOptions = {}): FakeHypervisor {
  const { stepMs = 150, shutdownMs = 500, keyMs = 1, stateFile } = options;
  const machines = new Map<number, FakeMachine>();
  const images = new Map([[fakeImage.sha256, fakeImage]]);
  const changes = new EventEmitter<{ change: [Observation] }>().setMaxListeners(0);
  const startedAt = new Date().toISOString();

  function find(id: number): FakeMachine {
    const machine = machines.get(id);
    if (machine) return machine;
    throw new CumulusError("not_found", `There is no VM ${id} on this host.`);
  }

  function demand(machine: FakeMachine, act: string, allowed: Observed[]): void {
    const { id, state } = machine.observation;
    if (allowed.includes(state)) return;
    const message = `VM ${id} is ${state}: to ${act} it, it must be ${allowed.join(" or ")}.`;
    throw new CumulusError("wrong_state", message, { allowed });
  }

  const seen = (machine: FakeMachine): Observation => structuredClone({ ...machine.observation, observedAt: now() });

  function change(machine: FakeMachine, change: Partial<Observation>): Observation {
    Object.assign(machine.observation, change, { observedAt: now() });
    save();
    const observation = seen(machine);
    changes.emit("change", observation);
    return observation;
  }

  function save(): void {
    if (stateFile) saveMachines(stateFile, machines.values());
  }

  function later(machine: FakeMachine, afterMs: number, act: () => void): void {
    clearTimeout(machine.timer);
    machine.timer = setTimeout(act, afterMs);
  }

  function boot(machine: FakeMachine): Observation {
    const { milestones, bootCount, id } = machine.observation;
    later(machine, stepMs, () => reachNext(machine));
    return change(machine, {
      state: "running",
      reason: null,
      stoppedBy: null,
      pid: 1_000_000 + id,
      bootCount: bootCount + 1,
      milestones: { disk: milestones.disk, started: now() },
      pendingAct: null,
    });
  }

  function reachNext(machine: FakeMachine): void {
    const { milestones, state } = machine.observation;
    const step = bootSteps.find((step) => milestones[step] === undefined);
    if (!step || state !== "running") return;
    later(machine, stepMs, () => reachNext(machine));
    machine.terminal.print(bootLines[step] ?? "");
    change(machine, { milestones: { ...milestones, [step]: now() } });
  }

  function end(machine: FakeMachine, how: Partial<Observation>): Observation {
    clearTimeout(machine.timer);
    if (machine.observation.pid !== null) machine.lastScreen = machine.terminal.log;
    machine.terminal.emit("off");
    return change(machine, { ...how, pid: null, pendingAct: null });
  }

  return {
    host: async () => fakeHostReport(startedAt),
    listImages: async () => [...images.values()],
    removeImage: async (sha256) => {
      const user = [...machines.values()].find(({ spec }) => spec.disk.imageSha256 === sha256);
      if (user) throw new CumulusError("conflict", `The disk of VM ${user.spec.id} is based on this image.`);
      images.delete(sha256);
    },

    ensure: async (spec) => {
      if (!images.has(spec.disk.imageSha256)) {
        throw new CumulusError("not_found", `There is no image ${spec.disk.imageSha256} on this host.`);
      }
      const present = machines.get(spec.id);
      if (!present) {
        const machine = newMachine(spec);
        machines.set(spec.id, machine);
        return change(machine, { milestones: { disk: now() } });
      }
      if (spec.disk.sizeBytes < present.spec.disk.sizeBytes) {
        throw new CumulusError("bad_request", `The disk of VM ${spec.id} can't shrink.`);
      }
      if (spec.disk.sizeBytes > present.spec.disk.sizeBytes) {
        demand(present, "grow the disk of", ["stopped", "crashed"]);
      }
      present.spec = spec;
      save();
      return seen(present);
    },
    start: async (id) => {
      const machine = find(id);
      if (machine.observation.pid !== null) return seen(machine);
      const port = machine.spec.interfaces[0]?.sshHostPort;
      for (const other of machines.values()) {
        if (port === undefined || other.observation.pid === null || other.spec.interfaces[0]?.sshHostPort !== port)
          continue;
        throw new CumulusError("conflict", `The host's port ${port} is taken: VM ${id} can't be reached by it.`);
      }
      return boot(machine);
    },
    stop: async (id) => {
      const machine = find(id);
      if (machine.observation.state === "stopped") return seen(machine);
      return end(machine, { state: "stopped", stoppedBy: "request", reason: null });
    },
    shutdown: async (id) => {
      const machine = find(id);
      if (machine.observation.state === "stopped") return seen(machine);
      demand(machine, "shut down", ["running"]);
      if (machine.observation.pendingAct === "shutdown") return seen(machine);
      later(machine, shutdownMs, () => end(machine, { state: "stopped", stoppedBy: "request" }));
      return change(machine, { pendingAct: "shutdown" });
    },
    reboot: async (id, operationId) => {
      const machine = find(id);
      if (machine.operationIds.includes(operationId)) return seen(machine);
      demand(machine, "reboot", ["running"]);
      machine.operationIds.push(operationId);
      later(machine, shutdownMs, () => boot(machine));
      return change(machine, { pendingAct: "reboot" });
    },
    reset: async (id, operationId) => {
      const machine = find(id);
      if (machine.operationIds.includes(operationId)) return seen(machine);
      demand(machine, "reset", ["running", "paused"]);
      machine.operationIds.push(operationId);
      const { state } = machine.observation;
      boot(machine);
      return change(machine, { state });
    },
    pause: async (id) => {
      const machine = find(id);
      demand(machine, "pause", ["running", "paused"]);
      return machine.observation.state === "paused" ? seen(machine) : change(machine, { state: "paused" });
    },
    resume: async (id) => {
      const machine = find(id);
      demand(machine, "resume", ["running", "paused"]);
      if (machine.observation.state === "running") return seen(machine);
      later(machine, stepMs, () => reachNext(machine));
      return change(machine, { state: "running" });
    },
    remove: async (id) => {
      const machine = machines.get(id);
      if (!machine) return;
      machines.delete(id);
      end(machine, absent(id));
      machine.terminal.emit("gone");
    },

    observe: async (id) => {
      const machine = machines.get(id);
      return machine ? seen(machine) : absent(id);
    },
    observeAll: async () => [...machines.values()].map(seen),
    watch: (listener) => {
      changes.on("change", listener);
      return () => changes.off("change", listener);
    },

    screenshot: async (id) => {
      const machine = find(id);
      demand(machine, "see the screen of", ["running", "paused"]);
      return encodePng(drawText(machine.terminal.log));
    },
    lastScreenshot: async (id) => {
      const { lastScreen } = find(id);
      return lastScreen === null ? null : encodePng(drawText(lastScreen));
    },
    typeText: async (id, text, signal) => {
      const machine = find(id);
      demand(machine, "type into", ["running"]);
      const strange = /[^\n\t\x20-\x7e]/u.exec(text);
      if (strange) throw new CumulusError("bad_request", `No key of a US keyboard types “${strange[0]}”.`);
      for (const character of text) {
        if (signal.aborted) return;
        await delay(keyMs);
        machine.terminal.type(character);
      }
    },
    openVnc: async (id) => {
      const machine = find(id);
      demand(machine, "see the screen of", ["running", "paused"]);
      return openFakeVnc(machine.terminal);
    },
    openSerial: async (id) => find(id).terminal.openSerial(),

    recover: async () => {
      for (const machine of stateFile ? loadMachines(stateFile) : []) {
        const { id, pendingAct } = machine.observation;
        machines.set(id, machine);
        if (pendingAct === "reboot") later(machine, shutdownMs, () => boot(machine));
        else if (pendingAct) later(machine, shutdownMs, () => end(machine, { state: "stopped", stoppedBy: "request" }));
        else later(machine, stepMs, () => reachNext(machine));
      }
    },
    close: async () => {
      for (const machine of machines.values()) clearTimeout(machine.timer);
      changes.removeAllListeners();
    },

    crash: (id) => end(find(id), { state: "crashed", reason: "QEMU was ended by signal SIGKILL." }),
    powerOff: (id) => end(find(id), { state: "stopped", stoppedBy: "guest" }),
  };
}
