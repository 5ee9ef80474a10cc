import { eq, sql } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { hosts } from "../../db/schema/hosts";
import { vmInterfaces } from "../../db/schema/vmNetworking";
import { CumulusError } from "../../domain/errors";
import { createNetworkSchema } from "../../domain/network";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor, type FakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { getOperation } from "../operations";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { powerVm } from "../vms/power";
import { plugInterface, unplugInterface } from "./interfaces";
import { createNetwork, deleteNetwork, updateNetwork } from "./networks";

const plane = testControlPlane();
let hypervisor: FakeHypervisor;
let context: Context;
let count = 0;

beforeEach(async () => {
  hypervisor = createFakeHypervisor({ stepMs: 5, shutdownMs: 10, networkDriver: "bridge" });
  onTestFinished(() => hypervisor.close());
  context = await plane.hostedContextWith(hypervisor);
});

/** A VM that runs with net0, net1 and net2. */
async function withThreeInterfaces(): Promise<number> {
  count += 1;
  const input = createVmSchema.parse({ name: `vm-${count}`, image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, `key-${count}`);
  await convergeVm(context, id);
  for (const second of [0, 1]) {
    const name = `further-${count}-${second}`;
    await createNetwork(context, createNetworkSchema.parse({ name, cidr: `10.8.${2 * count + second}.0/24` }));
    await plugInterface(context, systemActor, id, { network: name });
    await convergeVm(context, id);
  }
  expect(await interfacesOf(id)).toEqual(["net1", "net2"]);
  return id;
}

async function interfacesOf(vmId: number): Promise<string[]> {
  const rows = await context.db.select().from(vmInterfaces).where(eq(vmInterfaces.vmId, vmId));
  return rows.map(({ interfaceId }) => interfaceId).sort();
}

test("an interface that its guest doesn't let go of stays, and another that was asked to leave meanwhile leaves", async () => {
  const id = await withThreeInterfaces();
  const { agent } = context;
  const holdsNet1: Context["agent"]["ensure"] = async (spec) => {
    if (spec.interfaces.some((one) => one.id === "net1")) return agent.ensure(spec);
    throw new CumulusError("conflict", "The guest doesn't let go of its interface net1.");
  };
  const held = await unplugInterface(context, systemActor, id, "net1");
  const other = await unplugInterface(context, systemActor, id, "net2");
  await convergeVm({ ...context, agent: { ...agent, ensure: holdsNet1 } }, id);
  expect(await getOperation(context, held.id)).toMatchObject({ status: "failed" });
  expect(await getOperation(context, other.id)).toMatchObject({ status: "done" });
  expect(await interfacesOf(id)).toEqual(["net1"]);
});

test("an interface that is to leave while its VM starts with it is there until the host has taken it out", async () => {
  const id = await withThreeInterfaces();
  await powerVm(context, systemActor, id, "stop");
  await convergeVm(context, id);
  const { agent } = context;
  let operationId = 0;
  const unplugged: Context["agent"]["ensure"] = async (spec) => {
    if (operationId === 0) operationId = (await unplugInterface(context, systemActor, id, "net1")).id;
    return agent.ensure(spec);
  };
  const started: string[][] = [];
  const start: Context["agent"]["start"] = async (vmId) => {
    started.push(await interfacesOf(id));
    return agent.start(vmId);
  };
  await powerVm(context, systemActor, id, "start");
  await convergeVm({ ...context, agent: { ...agent, ensure: unplugged, start } }, id);
  expect(started).toEqual([["net1", "net2"]]);
  expect(await getOperation(context, operationId)).toMatchObject({ status: "done" });
  expect(await interfacesOf(id)).toEqual(["net2"]);
});

test("a VM that runs on bridges which its host has left keeps its interfaces, also one that was to leave already, until it stops", async () => {
  const id = await withThreeInterfaces();
  const leaving = await unplugInterface(context, systemActor, id, "net1");
  const report = sql`jsonb_set(${hosts.report}, '{network,driver}', '"user"')`;
  await context.db.update(hosts).set({ report });
  const refused = { code: "wrong_state", message: expect.stringContaining("stop it first") };
  await expect(unplugInterface(context, systemActor, id, "net2")).rejects.toMatchObject(refused);
  await convergeVm(context, id);
  expect(await getOperation(context, leaving.id)).toMatchObject({ status: "failed", error: refused.message });
  const kept = await context.db.select().from(vmInterfaces).where(eq(vmInterfaces.vmId, id));
  expect(kept.map(({ isLeaving }) => isLeaving)).toEqual([false, false]);
  await powerVm(context, systemActor, id, "stop");
  await convergeVm(context, id);
  await unplugInterface(context, systemActor, id, "net2");
  await powerVm(context, systemActor, id, "start");
  await convergeVm(context, id);
  expect(await interfacesOf(id)).toEqual(["net1"]);
});

test("a VM has one interface in a network, and gets another once that one is gone", async () => {
  const id = await withThreeInterfaces();
  const plug = (network: string) => plugInterface(context, systemActor, id, { network });
  const refused = (reason: RegExp) => ({
    code: "conflict",
    fields: { network: expect.stringMatching(reason) },
  });
  await expect(plug("default")).rejects.toMatchObject(refused(/in default by net0 already/));
  const name = `further-${count}-0`;
  await expect(plug(name)).rejects.toMatchObject(refused(/by net1 already/));
  await unplugInterface(context, systemActor, id, "net1");
  await expect(plug(name)).rejects.toMatchObject(refused(/is being unplugged/));
  await convergeVm(context, id);
  await plug(name);
  expect(await interfacesOf(id)).toEqual(["net1", "net2"]);
});

test("an interface that was unplugged is plugged in again with its own address, which no other VM gets meanwhile", async () => {
  const [id, otherId] = [await withThreeInterfaces(), await withThreeInterfaces()];
  const range = { first: "10.6.0.2", last: "10.6.0.2" };
  await createNetwork(context, createNetworkSchema.parse({ name: "one-address", cidr: "10.6.0.0/24", range }));
  const plug = (vmId: number, ipv4?: string) =>
    plugInterface(context, systemActor, vmId, { network: "one-address", ipv4 });
  const macOf = async (vmId: number) => {
    const rows = await context.db.select().from(vmInterfaces).where(eq(vmInterfaces.vmId, vmId));
    return rows.find(({ interfaceId }) => interfaceId === "net3")?.mac;
  };
  await plug(id);
  await convergeVm(context, id);
  const mac = await macOf(id);
  await unplugInterface(context, systemActor, id, "net3");
  await convergeVm(context, id);
  await expect(plug(otherId)).rejects.toThrow(/no free address. One is in quarantine until 20/);
  await expect(plug(otherId, range.first)).rejects.toMatchObject({
    fields: { ipv4: expect.stringContaining("had it") },
  });
  await plug(id, range.first);
  await convergeVm(context, id);
  expect(await interfacesOf(id)).toEqual(["net1", "net2", "net3"]);
  expect(await macOf(id), "which the address is known by").toBe(mac);
  await expect(plug(otherId, range.first)).rejects.toMatchObject({
    fields: { ipv4: expect.stringContaining("has it") },
  });
});

test("networks that are deleted at once are all deleted", async () => {
  const names = Array.from({ length: 6 }, (_, index) => `at-once-${index}`);
  const made = [];
  for (const name of names)
    made.push(await createNetwork(context, createNetworkSchema.parse({ name, cidr: `10.7.${made.length}.0/24` })));
  await Promise.all(made.map(({ id }) => deleteNetwork(context, id)));
});

test("a network that is to reach itself is refused", async () => {
  const { id } = await createNetwork(context, createNetworkSchema.parse({ name: "alone", cidr: "10.5.0.0/24" }));
  await expect(updateNetwork(context, id, { reaches: [id] })).rejects.toMatchObject({
    fields: { reaches: expect.stringContaining("Leave out alone itself") },
  });
});
