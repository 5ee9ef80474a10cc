import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { CumulusError, messageOf } from "../domain/errors";
import type { MachineSpec, Observation } from "../domain/machine";
import { pathsOf } from "../env";
import { isThere, writeFileAtomic } from "../system/files";
import { explainFullDisk } from "../system/fullDisk";
import { applyMedia, isEjectedByGuest, isoPathOf } from "./cdrom";
import type { HostContext } from "./context";
import { growDisk } from "./disk";
import { resolveDisk } from "./diskFiles";
import { readDiskRecord } from "./diskRecord";
import { assertIso } from "./imageFiles";
import { keystrokesOf, typeKeystrokes } from "./keyboard";
import { readLastScreen } from "./lastScreen";
import { type MachinePaths, machinePaths } from "./machinePaths";
import { type MachineState, withOperation } from "./machineState";
import { plugInterfaces } from "./plugInterfaces";
import { QmpError } from "./qmp/client";
import type { RunningQemu } from "./runningQemu";
import { Runtime } from "./runtime";
import { writeSeed } from "./seed";
import { settleDisk } from "./settleDisk";

/**
 * One VM and what can be done with it. Its acts are asked for one at a time (`HostContext.enqueue`); looking at it, its screen and its
 * terminals wait for none of them.
 */
export class Machine {
  readonly runtime: Runtime;
  private readonly paths: MachinePaths;
  private typing: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: HostContext,
    private currentSpec: MachineSpec,
    state: MachineState,
  ) {
    this.paths = machinePaths(context.settings, currentSpec.id);
    this.runtime = new Runtime(
      context,
      () => this.currentSpec,
      state,
      () => this.takeOutEjected(),
    );
  }

  get spec(): MachineSpec {
    return this.currentSpec;
  }

  observation(): Observation {
    return this.runtime.record.observation();
  }

  /** Takes over a spec that differs from the present one. */
  async apply(spec: MachineSpec): Promise<void> {
    const before = this.currentSpec;
    assertSameMachine(before, spec);
    const user = this.context.users.userOf(spec.id);
    const hasSeed = await isThere(this.paths.seed);
    if (hasSeed && isDeepStrictEqual(before, spec)) return;
    if (this.runtime.qemu === null) {
      await settleDisk(this.context, before, null, this.runtime.record);
      const { files, user: reader } = await resolveDisk(this.context, spec, await readDiskRecord(this.paths));
      await growDisk(files.disk, spec.disk.sizeBytes, reader);
    }
    if (!hasSeed || !isDeepStrictEqual(before.seed, spec.seed)) {
      await writeSeed(spec.seed, this.paths.seed, pathsOf(this.context.settings).staging, user);
    }
    await this.changeMedia(before, spec);
    await this.changeInterfaces(before, spec);
    await writeFileAtomic(this.paths.spec, `${JSON.stringify(spec, null, 2)}\n`);
    this.currentSpec = spec;
    this.runtime.record.tell();
  }

  private async changeMedia(before: MachineSpec, spec: MachineSpec): Promise<void> {
    if (isDeepStrictEqual([before.cdrom, before.bootFrom], [spec.cdrom, spec.bootFrom])) return;
    const isoPath = isoPathOf(this.context.settings, spec);
    if (isoPath !== null) await assertIso(isoPath);
    if (this.runtime.qemu === null) return;
    const qemu = this.answering("change its CD-ROM", ["running", "paused"]);
    await told(applyMedia(qemu, before, spec, isoPath));
  }

  private async changeInterfaces(before: MachineSpec, spec: MachineSpec): Promise<void> {
    if (this.runtime.qemu === null || isDeepStrictEqual(before.interfaces, spec.interfaces)) return;
    await this.context.networks.namespaceFor(spec.id, spec.interfaces);
    const qemu = this.answering("change its interfaces", ["running", "paused"]);
    await told(plugInterfaces(qemu, spec));
  }

  /** A disc that the guest has ejected is not in the drive any more, nor will it be after the next start. */
  private async takeOutEjected(): Promise<void> {
    const { qemu } = this.runtime;
    if (qemu === null || this.currentSpec.cdrom === null || !(await isEjectedByGuest(qemu))) return;
    await this.apply({ ...this.currentSpec, cdrom: null });
  }

  /** Carries out an act on a VM whose QEMU, if there is one, answers. @param isUnderWay whether the act was begun before, and goes on whatever QEMU does */
  async told<T>(act: (machine: Machine) => Promise<T>, isUnderWay = false): Promise<T> {
    if (this.runtime.qemu !== null && !isUnderWay) this.answering("do that", ["running", "paused"]);
    return told(act(this));
  }

  async start(): Promise<void> {
    if (this.runtime.qemu === null) await told(this.runtime.launch());
  }

  async stop(): Promise<void> {
    await this.runtime.finish({ state: "stopped", stoppedBy: "request", reason: null });
  }

  async shutdown(): Promise<void> {
    if (this.runtime.qemu === null) return;
    this.answering("shut down", ["running"]);
    await this.runtime.record.commit((state) => ({ ...state, pending: { act: "shutdown" } }));
    await told(this.runtime.guestRequest.begin());
  }

  async reboot(operationId: number, deadlineMs: number): Promise<void> {
    if (this.hasTakenOn(operationId)) return;
    this.answering("reboot", ["running"]);
    const deadlineAt = new Date(Date.now() + deadlineMs).toISOString();
    await this.runtime.record.commit((state) => ({
      ...withOperation(state, operationId),
      pending: { act: "reboot", deadlineAt },
    }));
    await told(this.runtime.guestRequest.begin());
  }

  async reset(operationId: number): Promise<void> {
    if (this.hasTakenOn(operationId)) return;
    const qemu = this.answering("reset", ["running", "paused"]);
    // As a reboot whose deadline is now: an agent that comes back finishes it.
    const deadlineAt = new Date().toISOString();
    await this.runtime.record.commit((state) => ({
      ...withOperation(state, operationId),
      pending: { act: "reboot", deadlineAt },
    }));
    await told(qemu.resetAndRun());
  }

  async pause(): Promise<void> {
    const qemu = this.answering("pause", ["running", "paused"]);
    await told(qemu.execute("stop"));
    await told(qemu.status());
  }

  async resume(): Promise<void> {
    const qemu = this.answering("resume", ["running", "paused"]);
    const status = await told(qemu.status());
    if (status === "running") return;
    await told(qemu.execute(status === "suspended" ? "system_wakeup" : "cont"));
    await told(qemu.status());
  }

  screenshot(): Promise<Buffer> {
    return told(this.answering("screenshot", ["running", "paused"]).screenshot());
  }

  lastScreenshot(): Promise<Buffer | null> {
    return readLastScreen(this.paths);
  }

  /** Two that type at once type one after the other. */
  typeText(text: string, signal: AbortSignal): Promise<void> {
    const keystrokes = keystrokesOf(text);
    const typed = this.typing.then(async () => {
      if (signal.aborted) return;
      const qemu = this.answering("type", ["running"]);
      await told(typeKeystrokes(keystrokes, (events) => qemu.execute("input-send-event", events), signal));
    });
    this.typing = typed.catch(() => undefined);
    return typed;
  }

  vncSocket(): string {
    if (this.runtime.qemu === null) throw notRunning("show the screen");
    return this.paths.vnc;
  }

  openVnc(): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path: this.vncSocket() });
      socket.once("error", (error) => {
        reject(new CumulusError("unavailable", `The VM's screen can't be reached: ${messageOf(error)}`));
      });
      socket.once("connect", () => resolve(socket));
    });
  }

  openSerial(): Promise<Duplex> {
    return this.runtime.serial.open();
  }

  private hasTakenOn(operationId: number): boolean {
    return this.runtime.record.state.operationIds.includes(operationId);
  }

  /** The VM's QEMU, if the VM is in one of these states. */
  private answering(act: string, allowed: ("running" | "paused")[]): RunningQemu {
    const { qemu, record } = this.runtime;
    const seen = record.seen;
    if (qemu === null || seen === null) throw notRunning(act);
    if (seen.state === "unresponsive") throw silent();
    if (allowed.includes(seen.state)) return qemu;
    throw new CumulusError(
      "wrong_state",
      `A VM that is ${seen.state} can't ${act}: it must be ${allowed.join(" or ")}.`,
      {
        allowed,
      },
    );
  }
}

function assertSameMachine(before: MachineSpec, after: MachineSpec): void {
  const differs =
    before.uuid !== after.uuid ||
    before.arch !== after.arch ||
    before.firmware !== after.firmware ||
    before.disk.imageSha256 !== after.disk.imageSha256;
  if (differs) {
    throw new CumulusError(
      "bad_request",
      "A VM's uuid, architecture, firmware and image can't change: create another VM.",
    );
  }
  if (after.disk.sizeBytes < before.disk.sizeBytes) {
    throw new CumulusError("bad_request", "A disk can't shrink: its file systems would lose data.", {
      fields: { "size.disk": "Choose the present size or a larger one." },
    });
  }
}

function notRunning(act: string): CumulusError {
  return new CumulusError("wrong_state", `A VM that is off can't ${act}: start it first.`, {
    allowed: ["running", "paused"],
  });
}

function silent(): CumulusError {
  return new CumulusError(
    "unavailable",
    "The VM's QEMU doesn't answer. Wait for it, or stop the VM, which ends it by force.",
    {
      retryAfterSeconds: 5,
    },
  );
}

/** Errors of QMP and of a full disk in words for users. */
async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof QmpError)) throw explainFullDisk(error);
    if (error.kind === "timeout") throw silent();
    if (error.kind === "closed") throw notRunning("do that");
    throw new CumulusError("internal", error.message, { cause: error });
  }
}
