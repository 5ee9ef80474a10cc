import type { Accelerator } from "../domain/host";
import type { Observation } from "../domain/machine";
import type { Settings } from "../env";
import type { Log } from "../system/log";
import type { UserScheme } from "../system/machineUsers";
import type { LayerStore } from "./layers/layerStore";
import type { HostNetworks } from "./network/hostNetworks";
import type { SnapshotStore } from "./snapshots/snapshotStore";

/** What all VMs of a host have in common. */
export interface HostContext {
  settings: Settings;
  log: Log;
  users: UserScheme;
  networks: HostNetworks;
  layers: LayerStore;
  snapshots: SnapshotStore;
  /** The host's present boot. */
  bootId: string;
  /** Of guests with more memory than this, it is copied while they run, and only what they changed meanwhile while they are held. */
  copiesMemoryAboveBytes: number;
  /** Resolves when the probe is done. */
  accelerator(): Promise<Accelerator>;
  /** Carries out an act on a VM after those that were asked for before. */
  enqueue<T>(id: number, act: () => Promise<T>): Promise<T>;
  onChange(observation: Observation): void;
}
