import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError } from "../domain/errors";
import type { MachineSpec, NetworkInterface } from "../domain/machine";
import { interfaceParts, netdevId } from "./qemu/interfaces";
import type { RunningQemu } from "./runningQemu";

const unplugMs = 15_000;

const devicesSchema = z.array(z.object({ name: z.string() }));

/**
 * Plugs and unplugs interfaces of a VM that runs, until it has those of the spec, each with its MAC. What it has is asked of QEMU, so that a change
 * that was broken off is carried on. Does nothing for a VM that was started without ports to plug into, or on bridges that its host has left since: it has its
 * interfaces at the next start.
 */
export async function plugInterfaces(qemu: RunningQemu, spec: MachineSpec): Promise<void> {
  if (!spec.interfaces.some(({ driver }) => driver === "bridge")) return;
  const devices = await peripheralsOf(qemu);
  if (!devices.has("rp0")) return;
  const kept = new Set<string>();
  for (const id of [...devices].filter((name) => /^net\d+$/.test(name))) {
    const link = spec.interfaces.find((one) => one.id === id);
    if (link?.mac === (await macOf(qemu, id))) kept.add(id);
    else await unplug(qemu, id);
  }
  for (const link of spec.interfaces) {
    if (!kept.has(link.id)) await plug(qemu, spec.id, link);
  }
}

async function plug(qemu: RunningQemu, vmId: number, link: NetworkInterface): Promise<void> {
  if (link.driver !== "bridge")
    throw new CumulusError("wrong_state", "Only an interface on a bridge can be plugged while the VM runs.");
  const { netdev, device } = interfaceParts(vmId, link);
  // A netdev without its device is what a crash in between left.
  await qemu.execute("netdev_del", { id: netdev.id }).catch(() => undefined);
  await qemu.execute("netdev_add", netdev);
  try {
    await qemu.execute("device_add", device);
  } catch (error) {
    await qemu.execute("netdev_del", { id: netdev.id });
    throw error;
  }
}

/** The guest has to let go of it: one that doesn't, as it boots say, keeps it. */
async function unplug(qemu: RunningQemu, id: string): Promise<void> {
  await qemu.execute("device_del", { id });
  const deadline = Date.now() + unplugMs;
  while ((await peripheralsOf(qemu)).has(id)) {
    if (Date.now() > deadline) {
      throw new CumulusError(
        "conflict",
        `The guest doesn't let go of its interface ${id}: wait until it has booted, or stop the VM first.`,
      );
    }
    await delay(50);
  }
  await qemu.execute("netdev_del", { id: netdevId({ id }) });
}

/** Ids of devices that have one (QEMU's object tree, /machine/peripheral). */
async function peripheralsOf(qemu: RunningQemu): Promise<Set<string>> {
  const devices = devicesSchema.parse(await qemu.execute("qom-list", { path: "/machine/peripheral" }));
  return new Set(devices.map(({ name }) => name));
}

/** As the device was made; what its guest has set since doesn't count. */
async function macOf(qemu: RunningQemu, id: string): Promise<unknown> {
  return qemu.execute("qom-get", { path: `/machine/peripheral/${id}`, property: "mac" });
}
