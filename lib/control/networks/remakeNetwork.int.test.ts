import { eq } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import type { NetworkState } from "../../domain/hostNetwork";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { releaseAddresses } from "./addresses";
import { plugInterface } from "./interfaces";
import { createNetwork, getNetwork, updateNetwork } from "./networks";
import { freeInNetwork, listNetworkAddresses, reserveInNetwork } from "./reservations";

const plane = testControlPlane();
let context: Context;
/** Ranges that the host has routes to. */
let occupied: string[];
/** What the host was told of last. */
let told: NetworkState;

beforeEach(async () => {
  await plane.pool.query("truncate hosts, networks restart identity cascade");
  const fake = createFakeHypervisor({ networkDriver: "bridge" });
  onTestFinished(() => fake.close());
  occupied = [];
  context = await plane.hostedContextWith({
    ...fake,
    networkStatus: async () => ({ ...(await fake.networkStatus()), occupiedCidrs: occupied }),
    applyNetworks: async (state) => {
      told = state;
      await fake.applyNetworks(state);
    },
  });
});

const make = (wishes: object = {}) => createNetwork(context, { name: "lab", cidr: "10.1.0.0/24", ...wishes });
const createIn = (network: string, name: string) =>
  createVm(context, systemActor, createVmSchema.parse({ name, image: "mini", size: "nano", network }), null);
const conflict = (field: string, words: string) => ({
  code: "conflict",
  fields: { [field]: expect.stringContaining(words) },
});
const wrong = (field: string) => ({ code: "bad_request", fields: { [field]: expect.any(String) } });
/** As if it was destroyed, with its address in quarantine. */
const destroy = async (id: number) => {
  await releaseAddresses(context.db, id);
  await context.db
    .update(vms)
    .set({ desired: "deleted", observed: "absent", deletedAt: new Date() })
    .where(eq(vms.id, id));
};
const taken = async (id: number) => (await listNetworkAddresses(context, id)).map(({ ipv4, kind }) => [ipv4, kind]);

test("an empty network gets another range, gateway, domain and no IPv6, of which the host is told", async () => {
  const { id } = await make({ ipv6: true });
  const chosen = { cidr: "10.2.0.0/24", gateway: "10.2.0.254", domain: "lab.example" };
  expect(await updateNetwork(context, id, { ...chosen, ipv6: false })).toMatchObject({ ...chosen, ipv6Cidr: null });
  expect(told.networks.find((one) => one.id === id)).toMatchObject({ ...chosen, ipv6: null });
  expect((await createIn("lab", "first")).ipv4).toBe("10.2.0.1");
});

test("with a new range comes its first address as the gateway, and the network's own old range is in nobody's way", async () => {
  const { id } = await make({ gateway: "10.1.0.254" });
  expect(await updateNetwork(context, id, { cidr: "10.1.0.0/20" })).toMatchObject({ gateway: "10.1.0.1" });
});

test("the network default moves, too, and keeps its name", async () => {
  const change = { name: "default", cidr: "10.2.0.0/24" };
  expect(await updateNetwork(context, 1, change)).toMatchObject({ ...change, gateway: "10.2.0.1" });
});

test("what VMs know of their network stays while they are in it, by any interface: they are named, up to three", async () => {
  const { id } = await make({ ipv6: true });
  const guest = await createIn("default", "guest");
  await plugInterface(context, systemActor, guest.id, { network: "lab" });
  for (const change of [{ cidr: "10.2.0.0/24" }, { gateway: "10.1.0.9" }, { domain: "lab.example" }, { ipv6: false }]) {
    const [field = ""] = Object.keys(change);
    await expect(updateNetwork(context, id, change)).rejects.toMatchObject(conflict(field, "in lab: guest. "));
  }
  for (const name of ["a", "b", "c"]) await createIn("lab", name);
  const refused = updateNetwork(context, id, { cidr: "10.2.0.0/24" });
  await expect(refused).rejects.toMatchObject(conflict("cidr", "a, b, c and 1 more."));
  // What it has already is no change.
  const { name, cidr, gateway, domain } = await getNetwork(context, id);
  expect(await updateNetwork(context, id, { name, cidr, gateway, domain, ipv6: true })).toMatchObject({ cidr, domain });
});

test("addresses that are reserved hold range and gateway, and are named; the domain changes all the same", async () => {
  const { id } = await make();
  await reserveInNetwork(context, id, { ipv4: "10.1.0.9" });
  for (const change of [{ cidr: "10.2.0.0/24" }, { gateway: "10.1.0.8" }]) {
    const [field = ""] = Object.keys(change);
    await expect(updateNetwork(context, id, change)).rejects.toMatchObject(conflict(field, "reserved: 10.1.0.9."));
  }
  expect(await updateNetwork(context, id, { domain: "lab.example" })).toMatchObject({ domain: "lab.example" });
  await freeInNetwork(context, id, "10.1.0.9");
  expect(await updateNetwork(context, id, { cidr: "10.2.0.0/24" })).toMatchObject({ cidr: "10.2.0.0/24" });
});

test("an address in quarantine stays there within the new range, is no gateway, and is let go of outside", async () => {
  const { id } = await make();
  await destroy((await createIn("lab", "gone")).id);
  await expect(updateNetwork(context, id, { gateway: "10.1.0.2" })).rejects.toMatchObject(
    conflict("gateway", "gone had"),
  );
  await updateNetwork(context, id, { cidr: "10.1.0.0/20" });
  expect(await taken(id)).toEqual([
    ["10.1.0.1", "gateway"],
    ["10.1.0.2", "quarantined"],
  ]);
  await updateNetwork(context, id, { cidr: "10.2.0.0/24" });
  expect(await taken(id)).toEqual([["10.2.0.1", "gateway"]]);
});

test("the checks of a new network are those of a changed one", async () => {
  const { id } = await make({ range: { first: "10.1.0.2", last: "10.1.0.9" }, dnsServers: ["10.3.0.1"] });
  const change = (input: Parameters<typeof updateNetwork>[2]) => expect(updateNetwork(context, id, input)).rejects;
  await createNetwork(context, { name: "other", cidr: "10.2.0.0/24", domain: "other.example" });
  occupied = ["10.4.0.0/16"];
  const range = null;
  await change({ cidr: "10.2.0.0/23", range }).toMatchObject(conflict("cidr", "the network other"));
  await change({ cidr: "10.4.9.0/24", range }).toMatchObject(conflict("cidr", "10.4.0.0/16"));
  await change({ domain: "other.example" }).toMatchObject(conflict("domain", "The network other"));
  await change({ gateway: "10.5.0.1" }).toMatchObject(wrong("gateway"));
  await change({ gateway: "10.1.0.2" }).toMatchObject(wrong("range"));
  await change({ cidr: "10.5.0.0/24" }).toMatchObject(wrong("range"));
  await change({ cidr: "10.3.0.0/24", range }).toMatchObject(wrong("dnsServers"));
  const moved = { cidr: "10.5.0.0/24", range: { first: "10.5.0.2", last: "10.5.0.9" } };
  expect(await updateNetwork(context, id, moved)).toMatchObject(moved);
});

test("an address that is reserved while its network moves is looked for in the new range", async () => {
  const { id } = await make();
  let refused: Promise<unknown> = Promise.resolve();
  await context.db.transaction(async (tx) => {
    await tx.select().from(networks).where(eq(networks.id, id)).for("update");
    await tx.update(networks).set({ cidr: "10.2.0.0/24", gateway: "10.2.0.1" }).where(eq(networks.id, id));
    refused = reserveInNetwork(context, id, { ipv4: "10.1.0.9" }).catch((error: unknown) => error);
    await plane.waitingForLock(1);
  });
  expect(await refused).toMatchObject(wrong("ipv4"));
});
