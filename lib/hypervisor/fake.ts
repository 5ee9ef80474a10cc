import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../domain/errors";
import type { FirstBootReport } from "../domain/firstBootReport";
import type { ImageManifest } from "../domain/image";
import { sshHostPortOf, sshPortField } from "../domain/machine";
import { listImages, removeImage } from "../images/store";
import { noAgentForClock } from "./clockProblem";
import { fakeHostReport, fakeImage, fakeIso } from "./fakeHost";
import { absent, demand, loadMachines, newMachine, now, seen } from "./fakeMachine";
import { FakeMachines } from "./fakeMachines";
import { FakeNetworks } from "./fakeNetworks";
import { drawText, encodePng } from "./fakeScreen";
import { assertOwn, assertTakable, FakeSnapshots } from "./fakeSnapshots";
import { openFakeVnc } from "./fakeVnc";
import type { Hypervisor } from "./hypervisor";
import { unpluggedChecks } from "./network/checks";
import { whyPortTaken } from "./network/hostPorts";

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

/**
 * Virtual machines that exist in memory only, with the meaning of the real hypervisor: for tests of what lies above it, benches with
 * a thousand VMs, and work on the dashboard without QEMU. It boots nothing, so it proves nothing about QEMU.
 */
export function createFakeHypervisor(options: FakeOptions = {}): FakeHypervisor {
  const { stepMs = 150, shutdownMs = 500, keyMs = 1, stateFile, imageStore, networkDriver = "user" } = options;
  const machines = new FakeMachines(stepMs, stateFile);
  const images = new Map([fakeImage, fakeIso].map((image) => [image.sha256, image]));
  const snapshots = new FakeSnapshots(stepMs, stateFile && `${stateFile}.snapshots`);
  const startedAt = new Date().toISOString();
  const networks = new FakeNetworks(networkDriver, (id) => machines.all.get(id)?.observation ?? absent(id));

  async function allImages(): Promise<ImageManifest[]> {
    return [...images.values(), ...(imageStore ? await listImages(imageStore, () => {}) : [])];
  }

  return {
    host: async () => fakeHostReport(startedAt, networkDriver, networks.applied),
    listImages: allImages,
    removeImage: async (image) => {
      const { sha256 } = image;
      const refuseWhileUsed = async () => {
        const user = [...machines.all.values()].find(({ spec }) => spec.disk.imageSha256 === sha256);
        if (user) throw new CumulusError("conflict", `The disk of VM ${user.spec.id} is based on this image.`);
        const reader = [...machines.all.values()].find(({ spec }) => spec.cdrom?.sha256 === sha256);
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
      const present = machines.all.get(spec.id);
      if (!present) {
        if (spec.disk.snapshotId !== undefined) snapshots.find(spec.disk.snapshotId);
        const machine = newMachine(spec);
        machines.all.set(spec.id, machine);
        return machines.change(machine, { milestones: { disk: now() }, cdromSha256 });
      }
      if (spec.disk.sizeBytes < present.spec.disk.sizeBytes) {
        throw new CumulusError("bad_request", `The disk of VM ${spec.id} can't shrink.`);
      }
      if (spec.disk.sizeBytes > present.spec.disk.sizeBytes) {
        demand(present, "grow the disk of", ["stopped", "crashed"]);
      }
      present.spec = spec;
      return machines.change(present, { cdromSha256 });
    },
    start: async (id) => {
      const machine = machines.find(id);
      if (machine.observation.pid !== null) return seen(machine);
      const port = sshHostPortOf(machine.spec);
      for (const other of machines.all.values()) {
        if (port === null || other.observation.pid === null || sshHostPortOf(other.spec) !== port) continue;
        const message = `The host's port ${port} is taken: VM ${id} can't be reached by it.`;
        throw new CumulusError("conflict", message, { fields: { [sshPortField]: message } });
      }
      return machines.boot(machine);
    },
    stop: async (id) => {
      const machine = machines.find(id);
      if (machine.observation.state === "stopped") return seen(machine);
      return machines.end(machine, { state: "stopped", stoppedBy: "request", reason: null });
    },
    shutdown: async (id) => {
      const machine = machines.find(id);
      if (machine.observation.state === "stopped") return seen(machine);
      demand(machine, "shut down", ["running"]);
      if (machine.observation.pendingAct === "shutdown") return seen(machine);
      machines.later(machine, shutdownMs, () =>
        machines.end(machine, { state: "stopped", stoppedBy: "request" }, true),
      );
      return machines.change(machine, { pendingAct: "shutdown" });
    },
    reboot: async (id, operationId) => {
      const machine = machines.find(id);
      if (machine.operationIds.includes(operationId)) return seen(machine);
      demand(machine, "reboot", ["running"]);
      machine.operationIds.push(operationId);
      machines.later(machine, shutdownMs, () => machines.boot(machine));
      return machines.change(machine, { pendingAct: "reboot" });
    },
    reset: async (id, operationId) => {
      const machine = machines.find(id);
      if (machine.operationIds.includes(operationId)) return seen(machine);
      demand(machine, "reset", ["running", "paused"]);
      machine.operationIds.push(operationId);
      const { state } = machine.observation;
      machines.boot(machine);
      return machines.change(machine, { state });
    },
    pause: async (id) => {
      const machine = machines.find(id);
      demand(machine, "pause", ["running", "paused"]);
      return machine.observation.state === "paused" ? seen(machine) : machines.change(machine, { state: "paused" });
    },
    resume: async (id) => {
      const machine = machines.find(id);
      demand(machine, "resume", ["running", "paused"]);
      if (machine.observation.state === "running") return seen(machine);
      machines.goOnBooting(machine);
      return machines.change(machine, { state: "running" });
    },
    remove: async (id) => {
      const machine = machines.all.get(id);
      if (!machine) return;
      machines.all.delete(id);
      machines.end(machine, absent(id));
      machine.terminal.emit("gone");
    },

    takeSnapshot: async (id, ask, report, signal) => {
      const machine = machines.find(id);
      assertTakable(machine, ask);
      const manifest = await snapshots.take(machine, ask, report, signal);
      machine.snapshotId = manifest.id;
      machines.save();
      return manifest;
    },
    assertRestorable: async (id, { snapshotId }) => {
      assertOwn(machines.find(id), snapshots.find(snapshotId));
    },
    restoreSnapshot: async (id, { snapshotId, operationId, memory = true }, report, signal) => {
      const machine = machines.find(id);
      if (machine.operationIds.includes(operationId)) return { ...seen(machine), clockProblem: null };
      const { hasGuestAgent, ...snapshot } = assertOwn(machine, snapshots.find(snapshotId));
      const hasMemory = snapshot.hasMemory && memory;
      await snapshots.work("Restoring.", report, signal);
      const { pid, milestones } = machine.observation;
      machine.operationIds.push(operationId);
      machine.snapshotId = snapshotId;
      machine.endedCleanly = false;
      if (pid === null && !hasMemory) return { ...machines.change(machine, {}), clockProblem: null };
      machines.end(machine, { state: "stopped", stoppedBy: "request", reason: null });
      // A guest with its memory goes on: it boots nothing.
      const goingOn = hasMemory ? (snapshots.milestonesOf(snapshotId) ?? milestones) : null;
      const clockProblem = hasMemory && !hasGuestAgent ? noAgentForClock : null;
      return { ...machines.boot(machine, goingOn), clockProblem };
    },
    listSnapshots: async () => snapshots.list(),
    holdsEndedGuest: async (snapshotId) => {
      const started = snapshots.milestonesOf(snapshotId)?.started;
      if (started === undefined) return false;
      const machine = machines.all.get(snapshots.find(snapshotId).vmId);
      return (
        machine !== undefined &&
        (machine.observation.pid === null || machine.observation.milestones.started !== started)
      );
    },
    removeSnapshot: async (snapshotId) => snapshots.remove(snapshotId),
    listSnapshotFiles: async (snapshotId, path) => snapshots.listFiles(snapshotId, path),
    readSnapshotFile: async (snapshotId, path) => snapshots.readFile(snapshotId, path),
    snapshotCost: async (id) => snapshots.costOf(machines.find(id)),
    exportDisk: async (source, target, report, signal) => {
      if ("vmId" in source) {
        const { spec } = machines.find(source.vmId);
        return snapshots.export({ ...spec, virtualBytes: spec.disk.sizeBytes }, target, report, signal);
      }
      const { machine, virtualBytes } = snapshots.find(source.snapshotId);
      return snapshots.export({ ...machine, virtualBytes }, target, report, signal);
    },

    observe: async (id) => {
      const machine = machines.all.get(id);
      return machine ? seen(machine) : absent(id);
    },
    observeAll: async () => [...machines.all.values()].map(seen),
    watch: (listener) => machines.watch(listener),

    screenshot: async (id) => {
      const machine = machines.find(id);
      demand(machine, "see the screen of", ["running", "paused"]);
      return encodePng(drawText(machine.terminal.log));
    },
    lastScreenshot: async (id) => {
      const { lastScreen } = machines.find(id);
      return lastScreen === null ? null : encodePng(drawText(lastScreen));
    },
    typeText: async (id, text, signal) => {
      const machine = machines.find(id);
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
      const machine = machines.find(id);
      demand(machine, "see the screen of", ["running", "paused"]);
      return openFakeVnc(machine.terminal);
    },
    vncSocket: async () => null,
    openSerial: async (id) => machines.find(id).terminal.openSerial(),

    applyNetworks: async (state) => networks.apply(state),
    networkStatus: async () => networks.status(),
    whyPortTaken,
    traffic: async (id) => networks.traffic(machines.find(id).observation.id),
    diagnose: async (id, interfaceId, port) => {
      const { spec, observation } = machines.find(id);
      const isPlugged = spec.interfaces.some((one) => one.id === interfaceId);
      return isPlugged ? networks.diagnose(id, interfaceId, port) : unpluggedChecks(observation, interfaceId);
    },

    recover: async () => {
      for (const machine of stateFile ? loadMachines(stateFile) : []) {
        const { id, pendingAct } = machine.observation;
        machines.all.set(id, machine);
        if (pendingAct === "reboot") machines.later(machine, shutdownMs, () => machines.boot(machine));
        else if (pendingAct)
          machines.later(machine, shutdownMs, () =>
            machines.end(machine, { state: "stopped", stoppedBy: "request" }, true),
          );
        else machines.goOnBooting(machine);
      }
    },
    close: async () => machines.close(),

    crash: (id) => machines.end(machines.find(id), { state: "crashed", reason: "QEMU was ended by signal SIGKILL." }),
    powerOff: (id) => machines.end(machines.find(id), { state: "stopped", stoppedBy: "guest" }, true),
    ejectDisc: (id) => {
      const machine = machines.find(id);
      machine.spec = { ...machine.spec, cdrom: null };
      machines.change(machine, { cdromSha256: null });
    },
    tellFirstBoot: (id, tell) => {
      const machine = machines.find(id);
      machines.change(machine, { firstBoot: tell(machine.observation.firstBoot) });
    },
  };
}
