import type { Duplex } from "node:stream";
import type { HostReport } from "../domain/host";
import type { ImageManifest } from "../domain/image";
import type { MachineSpec, Observation } from "../domain/machine";

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
  /** Removes an image file; `conflict` while a VM's disk is an overlay on it. */
  removeImage(sha256: string): Promise<void>;

  /**
   * Brings folder, disk (an overlay on the image) and seed to what the spec says, without starting. A spec that differs from the one
   * on disk is taken over: memory and vCPUs at the next start, a larger disk at once when the VM is stopped (a smaller one: `bad_request`).
   */
  ensure(spec: MachineSpec): Promise<Observation>;
  /** Starts QEMU unless it runs. A host port that is taken: `conflict`, with the port in the message. */
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
  /**
   * A terminal on the serial console, beside any others: first the log kept so far, then live bytes; what is written goes to the guest. Stays open over
   * stop and start.
   */
  openSerial(id: number): Promise<Duplex>;

  /** Takes up what runs already, then watches it. Call once, before anything else. */
  recover(): Promise<void>;
  /** Lets go of all VMs without stopping any. */
  close(): Promise<void>;
}
