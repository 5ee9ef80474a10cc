import { messageOf } from "../domain/errors";
import type { Accelerator } from "../domain/host";
import type { Settings } from "../env";
import type { Log } from "../system/log";
import type { UserScheme } from "../system/machineUsers";
import { hostBootId } from "../system/platform";
import { detectAccelerator } from "./accelerator/detect";
import type { HostContext } from "./context";
import { hostArch } from "./hostReport";
import { LayerStore } from "./layers/layerStore";
import { createHostNetworks } from "./network/choose";
import { machineTypesOf } from "./qemu/machineTypes";
import { SnapshotStore } from "./snapshots/snapshotStore";

/** Lays ready what all VMs of this host have in common. */
export async function makeContext(
  settings: Settings,
  users: UserScheme,
  log: Log,
  { enqueue, onChange, copiesMemoryAboveBytes }: Pick<HostContext, "enqueue" | "onChange" | "copiesMemoryAboveBytes">,
): Promise<HostContext> {
  let accelerator: Promise<Accelerator> | null = null;
  const layers = new LayerStore(settings, users);
  const snapshots = new SnapshotStore(settings, layers);
  await layers.prepare();
  await snapshots.prepare();
  const context: HostContext = {
    settings,
    log,
    users,
    layers,
    snapshots,
    networks: await createHostNetworks(settings, users, log),
    bootId: await hostBootId(),
    accelerator: () => {
      accelerator ??= detectAccelerator(settings, hostArch(), users, log);
      return accelerator;
    },
    enqueue,
    onChange,
    copiesMemoryAboveBytes,
  };
  // Begun now, so that the first VM needn't wait for them; recovering doesn't.
  context.accelerator().catch((error: unknown) => log.error({ error: messageOf(error) }, "no accelerator was found"));
  machineTypesOf(hostArch()).catch((error: unknown) => log.warn({ error: messageOf(error) }, "QEMU can't be asked"));
  return context;
}
