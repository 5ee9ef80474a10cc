import type { Duplex, Readable } from "node:stream";
import type { HostReport } from "../domain/host";
import type { NetworkState, NetworkStatus, PortForward, ReachabilityCheck } from "../domain/hostNetwork";
import type { ImageIdentity, ImageManifest } from "../domain/image";
import type { MachineSpec, Observation } from "../domain/machine";
import type { SnapshotFolder } from "../domain/snapshotFile";
import type { SnapshotCost, SnapshotManifest } from "../domain/snapshotManifest";
import type { TaskReport } from "../domain/task";
import type { TrafficReading } from "../domain/vmNetworking";

/**
 * Virtual machines on this computer: the narrow seam under the agent. Every call is idempotent: asked twice, done once. Calls on one
 * VM are carried out one after the other; calls on different VMs don't wait for each other. Nothing here knows of users,
 * policy or the database. All reject with a `CumulusError` whose message says what happened and what to do; `not_found` when
 * the VM has no folder on this host (but `observe`, which answers `absent`, and `remove`, which is then done).
 *
 * A call that was refused or failed leaves the VM as it was.
 */
export interface Hypervisor {
  /** What this computer offers, freshly read. */
  host(): Promise<HostReport>;

  /** Images that lie whole on this host. */
  listImages(): Promise<ImageManifest[]>;
  /** Removes an image, and with the last of its file's names the file; `conflict` while a VM's disk or a snapshot builds on that. */
  removeImage(image: ImageIdentity): Promise<void>;

  /**
   * Brings folder, disk (an overlay on the image) and seed to what the spec says, without starting. A spec that differs from the one
   * on disk is taken over: memory and vCPUs at the next start, a larger disk at once when the VM is stopped (a smaller one: `bad_request`), the disc
   * in the CD-ROM drive at once, the boot order at the guest's next reset.
   *
   * With `disk.snapshotId`, a VM that is made starts from that snapshot's disk (without its memory); afterwards the snapshot may go.
   */
  ensure(spec: MachineSpec): Promise<Observation>;
  /** Starts QEMU unless it runs. A host port that is taken: `conflict`, with `sshPortField` in its fields. */
  start(id: number): Promise<Observation>;
  /** Power off: QMP quit, then SIGTERM, then SIGKILL, and waits for the exit. */
  stop(id: number): Promise<Observation>;
  /** Presses the ACPI power button and returns; the guest's own power-off is seen as `stopped` by `request`. */
  shutdown(id: number): Promise<Observation>;
  /**
   * Asks the guest to reboot (guest agent, else ACPI power button and on again) and returns; resets it by force at the deadline. Done when `bootCount` has grown.
   * @param operationId asked twice with the same id, done once, also across a restart of the agent
   */
  reboot(id: number, operationId: number, deadlineMs: number): Promise<Observation>;
  /** The reset button. Idempotent by `operationId`. */
  reset(id: number, operationId: number): Promise<Observation>;
  pause(id: number): Promise<Observation>;
  resume(id: number): Promise<Observation>;
  /** Stops the VM and removes everything of it. */
  remove(id: number): Promise<void>;

  /**
   * Takes a snapshot of a VM in any state. The guest stands still for a moment; it runs on as before, also when this fails.
   * Idempotent by `snapshotId`: what is there is answered. `insufficient_capacity` when the host's disk is full. Aborting the signal
   * leaves no snapshot, up to the point from which it is whole.
   */
  takeSnapshot(id: number, ask: TakeSnapshotAsk, report: TaskReport, signal: AbortSignal): Promise<SnapshotManifest>;
  /**
   * Puts a VM back to a snapshot of its own, and what it wrote since is gone. A VM that runs is ended, and runs again afterwards, also when that
   * failed: then it boots from the disk that it had. One that is off stays off. With memory it goes on where it was, with its clock set right if its agent answers: it then runs in any case. Idempotent by `operationId`: done once, and taken up
   * where a crash left it. `wrong_state` for a snapshot with memory of a machine with other vCPUs, memory or network than this host can give it.
   */
  restoreSnapshot(id: number, ask: RestoreSnapshotAsk, report: TaskReport, signal: AbortSignal): Promise<Restored>;
  /** Whether `restoreSnapshot` would be refused, to be asked before anything is done for it: `not_found`, `bad_request` and `wrong_state` as there; `unavailable` where QEMU can't be asked. */
  assertRestorable(id: number, ask: RestoreSnapshotAsk): Promise<void>;
  /** Snapshots that lie whole on this host, by id. They outlive their VMs. */
  listSnapshots(): Promise<SnapshotManifest[]>;
  /** Whether a snapshot holds the memory of a guest of this VM that has been ended since: it is nowhere else. True for a VM that can't be read, false where it is gone. */
  holdsEndedGuest(snapshotId: number): Promise<boolean>;
  /** Removes a snapshot, in any order, and is done when there is none. Its space comes back later, by a merge in the background. */
  removeSnapshot(snapshotId: number): Promise<void>;
  /** What a snapshot would take if it were taken now. */
  snapshotCost(id: number): Promise<SnapshotCost>;
  /**
   * Writes the disk of a VM (when it runs: of one instant, as after pulling the plug) or of a snapshot into one qcow2 file that needs no other, whole or
   * not at all; before it, the UEFI variables of the same instant into another. `insufficient_capacity` when the host's disk has no room for
   * it.
   * @returns whether the VM has UEFI variables
   */
  exportDisk(
    source: DiskSource,
    target: ExportTarget,
    report: TaskReport,
    signal: AbortSignal,
  ): Promise<{ hasUefiVars: boolean }>;

  /**
   * Entries of a folder in a snapshot's file systems, by name; at most 10,000, and how many there are. The first look into a snapshot opens its disk, in a machine of its own without rights on this host:
   * that takes some seconds, and a minute under emulation. `not_found` for no such snapshot or folder, `unavailable` when a tool is missing or nothing on the disk can be read.
   */
  listSnapshotFiles(snapshotId: number, path: string): Promise<SnapshotFolder>;
  /** A file's bytes, also through a link. `bad_request` for what is no plain file. */
  readSnapshotFile(snapshotId: number, path: string): Promise<Readable>;

  observe(id: number): Promise<Observation>;
  /** All VMs that have a folder here. One that hangs delays nobody: it is `unresponsive`. */
  observeAll(): Promise<Observation[]>;
  /** Calls the listener on every change of an observation (state, boot, milestone). Returns the way to stop listening. */
  watch(listener: (observation: Observation) => void): () => void;

  /** The screen as PNG; `wrong_state` unless QEMU runs. The last one seen before it stopped: `lastScreenshot`. */
  screenshot(id: number): Promise<Buffer>;
  /** The picture kept when the VM last stopped, or null. */
  lastScreenshot(id: number): Promise<Buffer | null>;
  /**
   * Types text as keystrokes of a US keyboard (QMP input-send-event), newline as Enter, tab as Tab. `bad_request` naming the first character that has no key.
   * Aborting the signal stops after the present key; no key stays pressed.
   */
  typeText(id: number, text: string, signal: AbortSignal): Promise<void>;

  /** A connection of its own to the VM's VNC server (RFB bytes). `wrong_state` when it is off. */
  openVnc(id: number): Promise<Duplex>;
  /** The unix socket that `openVnc` connects to, or null where there is none. `wrong_state` when the VM is off. */
  vncSocket(id: number): Promise<string | null>;
  /**
   * A terminal on the serial console, beside any others: first the log kept so far, then live bytes; what is written goes to the guest. Stays open over
   * stop and start.
   */
  openSerial(id: number): Promise<Duplex>;

  /**
   * Brings the host's networks, firewalls and limits to a state, which is all there is: what it doesn't name goes. Kept, and brought back after a reboot. To be
   * asked for before a VM with an interface in it is started, and after one that left it is removed. Of it, a host with user-mode networks has the forwards on its
   * loopback alone; one that can't be had is told in its status, and tried again.
   */
  applyNetworks(state: NetworkState): Promise<void>;
  networkStatus(): Promise<NetworkStatus>;
  /** Why no VM of a user-mode network can have a port of the loopback now, in a part of a sentence; null when one can. */
  whyPortTaken(protocol: PortForward["protocol"], port: number): Promise<string | null>;
  /** What a VM's interfaces have carried: cheap enough to be asked every second. */
  traffic(id: number): Promise<TrafficReading>;
  /** Why a TCP port of a VM can't be reached from the host by one of its interfaces: what was checked, in order, up to the first failure. Takes some seconds. */
  diagnose(id: number, interfaceId: string, port: number): Promise<ReachabilityCheck[]>;

  /** Takes up what runs already, then watches it. Call once, before anything else. */
  recover(): Promise<void>;
  /** Lets go of all VMs without stopping any. */
  close(): Promise<void>;
}

export interface TakeSnapshotAsk {
  snapshotId: number;
  operationId: number;
  /** Also what is in memory; `wrong_state` unless the VM runs or is paused. */
  memory: boolean;
  /** Whether the guest's agent, if it answers, freezes the file systems for the moment. Means nothing with memory, which holds what isn't written yet. */
  freeze: boolean;
}

export interface RestoreSnapshotAsk {
  snapshotId: number;
  operationId: number;
  /** False: the disk alone, also of a snapshot with memory. */
  memory?: boolean;
}

/** A VM that was restored. */
export interface Restored extends Observation {
  /** Why the clock of a guest that goes on is as it was then, in sentences; null: it is right, the guest boots, or it was restored before this call. */
  clockProblem: string | null;
}

/** Absolute paths in folders of the agent's, where nothing is yet. */
export interface ExportTarget {
  disk: string;
  /** Not given: the variables aren't wanted. */
  uefiVars?: string;
  /** What room there must be before anything is written: for so many files of the disk's size, and beside them. Not given: the disk is filled up. */
  room?: { copies: number; reserveBytes: number };
}

export type DiskSource = { vmId: number } | { snapshotId: number };
