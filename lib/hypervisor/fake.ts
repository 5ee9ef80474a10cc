import { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../domain/errors";
import type { FirstBootReport } from "../domain/firstBootReport";
import type { ImageManifest } from "../domain/image";
import { liveLinkOf, type Observation, sshHostPortOf } from "../domain/machine";
import type { TimelineStep } from "../domain/timeline";
import type { Observed } from "../domain/vmStatus";
import { listImages, removeImage } from "../images/store";
import { fakeHostReport, fakeImage, fakeIso } from "./fakeHost";
import { absent, type FakeMachine, loadMachines, newMachine, now, saveMachines } from "./fakeMachine";
import { FakeNetworks } from "./fakeNetworks";
import { drawText, encodePng } from "./fakeScreen";
import { assertOwn, assertTakable, FakeSnapshots } from "./fakeSnapshots";
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
  /** Where images lie that it has besides its own: what tasks bring is real, though nothing boots from it. */
  imageStore?: Parameters<typeof removeImage>[0];
  /** The networks that it pretends to have; user-mode ones when not given. */
  networkDriver?: "bridge" | "user";
}

export interface FakeHypervisor extends Hypervisor {
  /** What a test does to a machine from outside: QEMU dies. */
  crash(id: number): void;
  /** The guest powers itself off. */
  powerOff(id: number): void;
  /** The guest ejects its disc. */
  ejectDisc(id: number): void;
  /** The guest tells something of setting itself up. */
  tellFirstBoot(id: number, change: (report: FirstBootReport) => FirstBootReport): void;
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
  const { stepMs = 150, shutdownMs = 500, keyMs = 1, stateFile, imageStore, networkDriver = "user" } = options;
  const machines = new Map<number, FakeMachine>();
  const images = new Map([fakeImage, fakeIso].map((image) => [image.sha256, image]));
  const snapshots = new FakeSnapshots(stepMs, stateFile && `${stateFile}.snapshots`);
  const changes = new EventEmitter<{ change: [Observation] }>().setMaxListeners(0);
  const startedAt = new Date().toISOString();
  const networks = new FakeNetworks(networkDriver, (id) => machines.get(id)?.observation.state === "running");

  async function allImages(): Promise<ImageManifest[]> {
    return [...images.values(), ...(imageStore ? await listImages(imageStore, () => {}) : [])];
  }

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
      link: liveLinkOf(machine.spec, sshHostPortOf(machine.spec)),
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
    return change(machine, { ...how, pid: null, link: null, pendingAct: null });
  }

  return {
    host: async () => fakeHostReport(startedAt, networkDriver),
    listImages: allImages,
    removeImage: async (image) => {
      const { sha256 } = image;
      const refuseWhileUsed = async () => {
        const user = [...machines.values()].find(({ spec }) => spec.disk.imageSha256 === sha256);
        if (user) throw new CumulusError("conflict", `The disk of VM ${user.spec.id} is based on this image.`);
        const reader = [...machines.values()].find(({ spec }) => spec.cdrom?.sha256 === sha256);
        if (reader) throw new CumulusError("conflict", `This ISO lies in the drive of VM ${reader.spec.id}.`);
        if (snapshots.isOnImage(sha256)) throw new CumulusError("conflict", "A snapshot is based on this image.");
      };
      if (images.has(sha256)) await refuseWhileUsed();
      images.delete(sha256);
      if (imageStore) await removeImage(imageStore, image, refuseWhileUsed);
    },

    ensure: async (spec) => {
      const known = new Set((await allImages()).map(({ sha256 }) => sha256));
      for (const sha256 of [spec.disk.imageSha256, spec.cdrom?.sha256]) {
        if (!sha256 || known.has(sha256)) continue;
        throw new CumulusError("not_found", `There is no image ${sha256} on this host.`);
      }
      const cdromSha256 = spec.cdrom?.sha256 ?? null;
      const present = machines.get(spec.id);
      if (!present) {
        if (spec.disk.snapshotId !== undefined) snapshots.find(spec.disk.snapshotId);
        const machine = newMachine(spec);
        machines.set(spec.id, machine);
        return change(machine, { milestones: { disk: now() }, cdromSha256 });
      }
      if (spec.disk.sizeBytes < present.spec.disk.sizeBytes) {
        throw new CumulusError("bad_request", `The disk of VM ${spec.id} can't shrink.`);
      }
      if (spec.disk.sizeBytes > present.spec.disk.sizeBytes) {
        demand(present, "grow the disk of", ["stopped", "crashed"]);
      }
      present.spec = spec;
      return change(present, { cdromSha256 });
    },
    start: async (id) => {
      const machine = find(id);
      if (machine.observation.pid !== null) return seen(machine);
      const port = sshHostPortOf(machine.spec);
      for (const other of machines.values()) {
        if (port === null || other.observation.pid === null || sshHostPortOf(other.spec) !== port) continue;
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

    takeSnapshot: async (id, ask, report, signal) => {
      const machine = find(id);
      assertTakable(machine, ask);
      const manifest = await snapshots.take(machine, ask, report, signal);
      machine.snapshotId = manifest.id;
      save();
      return manifest;
    },
    restoreSnapshot: async (id, { snapshotId, operationId }, report, signal) => {
      const machine = find(id);
      if (machine.operationIds.includes(operationId)) return seen(machine);
      const { hasMemory } = assertOwn(machine, snapshots.find(snapshotId));
      await snapshots.work("Restoring.", report, signal);
      const { pid, milestones, bootCount } = machine.observation;
      machine.operationIds.push(operationId);
      machine.snapshotId = snapshotId;
      if (pid === null && !hasMemory) return change(machine, {});
      end(machine, { state: "stopped", stoppedBy: "request", reason: null });
      const observation = boot(machine);
      // A guest with its memory goes on: it boots nothing.
      return hasMemory ? change(machine, { milestones, bootCount }) : observation;
    },
    listSnapshots: async () => snapshots.list(),
    removeSnapshot: async (snapshotId) => snapshots.remove(snapshotId),
    listSnapshotFiles: async (snapshotId, path) => snapshots.listFiles(snapshotId, path),
    readSnapshotFile: async (snapshotId, path) => snapshots.readFile(snapshotId, path),
    snapshotCost: async (id) => snapshots.costOf(find(id)),
    exportDisk: async (source, targetFile, report, signal) => {
      const virtualBytes =
        "vmId" in source ? find(source.vmId).spec.disk.sizeBytes : snapshots.find(source.snapshotId).virtualBytes;
      await snapshots.export(virtualBytes, targetFile, report, signal);
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
    vncSocket: async () => null,
    openSerial: async (id) => find(id).terminal.openSerial(),

    applyNetworks: async (state) => networks.apply(state),
    networkStatus: async () => networks.status(),
    traffic: async (id) => networks.traffic(find(id).observation.id),
    diagnose: async (id, interfaceId, port) => networks.diagnose(find(id).observation.id, interfaceId, port),

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
    ejectDisc: (id) => {
      const machine = find(id);
      machine.spec = { ...machine.spec, cdrom: null };
      change(machine, { cdromSha256: null });
    },
    tellFirstBoot: (id, tell) => {
      const machine = find(id);
      change(machine, { firstBoot: tell(machine.observation.firstBoot) });
    },
  };
}
