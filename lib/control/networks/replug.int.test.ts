import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createNetworkSchema } from "../../domain/network";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { Lab } from "../../hypervisor/testing/lab/lab";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { plugInterface, unplugInterface } from "./interfaces";
import { createNetwork } from "./networks";
import { networkStateOf } from "./state";

const plane = testControlPlane();
const ipv4 = "10.6.0.7";
let context: Context;
let lab: Lab;

beforeEach(async () => {
  const hypervisor = createFakeHypervisor({ stepMs: 5, networkDriver: "bridge" });
  onTestFinished(() => hypervisor.close());
  context = await plane.hostedContextWith(hypervisor);
  lab = await Lab.make();
  onTestFinished(() => lab.close());
  await lab.startAgent();
});

/** Has the lab's host make what is written down; answers a guest's way to ask for its address by DHCP there. */
async function onHost(networkId: number) {
  const state = await networkStateOf(context.db, "bridge", context.settings.port);
  await lab.apply(state);
  const network = state.networks.find(({ id }) => id === networkId);
  const host = network?.hosts.find((one) => one.interfaceId === "net1");
  return network && host ? { network, host } : null;
}

/** The address that a guest on net1 is given, asking as whoever it says. */
async function addressByDhcp(networkId: number, clientId: string): Promise<string | undefined> {
  const plugged = await onHost(networkId);
  if (plugged === null) throw new Error("There is no net1.");
  const guest = await lab.guest(plugged.host, plugged.network);
  try {
    const file = join(lab.settings.dataDir, `dhclient-${clientId}`);
    await writeFile(`${file}.conf`, `timeout 15; send dhcp-client-identifier "${clientId}";`);
    const files = ["-cf", `${file}.conf`, "-lf", `${file}.leases`, "-pf", `${file}.pid`];
    await guest.run("dhclient", ["-4", "-1", "-sf", "/bin/true", ...files, "eth0"]).catch(() => undefined);
    await guest.run("dhclient", ["-4", "-x", "-sf", "/bin/true", ...files, "eth0"]).catch(() => undefined);
    const lease = await readFile(`${file}.leases`, "utf8").catch(() => "");
    return /fixed-address ([\d.]+);/.exec(lease)?.[1];
  } finally {
    await guest.remove();
  }
}

test("an interface that is plugged in again with its own address is given it by DHCP at once", async () => {
  const asked = createVmSchema.parse({ name: "replugged", image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, asked, null);
  await convergeVm(context, id);
  const { id: networkId } = await createNetwork(
    context,
    createNetworkSchema.parse({ name: "lab", cidr: "10.6.0.0/24" }),
  );
  const plug = async () => {
    await plugInterface(context, systemActor, id, { network: "lab", ipv4 });
    await convergeVm(context, id);
  };
  await plug();
  expect(await addressByDhcp(networkId, "before")).toBe(ipv4);
  await unplugInterface(context, systemActor, id, "net1");
  await convergeVm(context, id);
  expect(await onHost(networkId)).toBeNull();
  await plug();
  expect(await addressByDhcp(networkId, "after")).toBe(ipv4);
}, 120_000);
