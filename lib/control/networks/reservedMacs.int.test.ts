import { beforeEach, expect, onTestFinished, test } from "vitest";
import type { Queryable } from "../../db/client";
import { reserveAddressSchema } from "../../domain/network";
import { createVmSchema, type Vm } from "../../domain/vm";
import { plugInterfaceSchema } from "../../domain/vmNetworking";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { destroyVm } from "../vms/destroy";
import { reserveAddress } from "./addresses";
import { plugInterface, unplugInterface } from "./interfaces";
import { drawMac, reserveMac } from "./macs";
import { createNetwork, holdNetworkById } from "./networks";
import { freeInNetwork, listNetworkAddresses, reserveInNetwork } from "./reservations";
import { getVmNetworking } from "./view";

const plane = testControlPlane();
let context: Context;
let labId: number;
const [address, mac, other] = ["10.9.0.20", "52:54:00:bb:00:01", "52:54:00:bb:00:02"];

beforeEach(async () => {
  await plane.pool.query("truncate hosts, networks restart identity cascade");
  const hypervisor = createFakeHypervisor({ stepMs: 5, shutdownMs: 10, networkDriver: "bridge" });
  onTestFinished(() => hypervisor.close());
  context = await plane.hostedContextWith(hypervisor);
  labId = (await createNetwork(context, { name: "lab", cidr: "10.9.0.0/24" })).id;
});

const reserve = (input: object = {}) =>
  reserveInNetwork(context, labId, reserveAddressSchema.parse({ ipv4: address, note: "licence", mac, ...input }));
/** In a transaction that goes on. */
const reserveIn = async (tx: Queryable, ipv4: string, chosen: string) => {
  await reserveAddress(tx, await holdNetworkById(tx, labId), ipv4, "");
  await reserveMac(tx, labId, ipv4, chosen);
};
const create = (name: string, wishes: object = {}): Promise<Vm> => {
  const input = { name, image: "mini", size: "nano", network: "lab", ...wishes };
  return createVm(context, systemActor, createVmSchema.parse(input), null);
};
const plug = (vmId: number, wishes: object) =>
  plugInterface(context, systemActor, vmId, plugInterfaceSchema.parse({ network: "lab", ...wishes }));
const destroy = async ({ id }: Vm) => {
  await destroyVm(context, systemActor, id, { withSnapshots: false });
  await convergeVm(context, id);
};
const inList = async () => (await listNetworkAddresses(context, labId)).find(({ ipv4 }) => ipv4 === address);
const refused = (field: string, why: RegExp) => ({
  code: "conflict",
  fields: { [field]: expect.stringMatching(why) },
});

test("who asks for an address gets the MAC that is reserved with it, and the next one when that VM is gone", async () => {
  expect(await reserve({ mac: mac.toUpperCase() })).toMatchObject({ ipv4: address, kind: "reserved", mac });
  const first = await create("first", { ipv4: address });
  expect(first).toMatchObject({ ipv4: address, mac });
  expect(await inList()).toMatchObject({ kind: "vm", vm: { name: "first" }, mac, note: "licence" });
  await expect(create("second", { ipv4: address })).rejects.toMatchObject(refused("ipv4", /the VM first has it\.$/));
  await convergeVm(context, first.id);
  await destroy(first);
  expect(await inList()).toMatchObject({ kind: "reserved", vm: null, mac, note: "licence", freeAt: null });
  expect(await create("second", { ipv4: address, mac })).toMatchObject({ ipv4: address, mac });
});

test("a further interface gets it, and gives it back when it is unplugged, for any VM", async () => {
  await reserve();
  const [one, two] = [await create("one", { network: "default" }), await create("two", { network: "default" })];
  for (const { id } of [one, one, two]) {
    await convergeVm(context, id);
    await plug(id, { ipv4: address });
    await convergeVm(context, id);
    expect((await getVmNetworking(context, id)).interfaces[1]).toMatchObject({ ipv4: address, mac });
    await unplugInterface(context, systemActor, id, "net1");
    await convergeVm(context, id);
    expect(await inList()).toMatchObject({ kind: "reserved", mac });
    // Nor does the VM that had it get the address back without its MAC.
    await expect(plug(id, { ipv4: address, mac: other })).rejects.toMatchObject(
      refused("mac", /is reserved with the MAC/),
    );
  }
});

test("a reserved MAC is nobody's without its address, nor is the address anybody's with another MAC", async () => {
  await reserve();
  const isReserved = refused("mac", /reserved with 10\.9\.0\.20 in lab \(licence\), and goes to whoever asks for that/);
  for (const wishes of [{}, { ipv4: "10.9.0.30" }, { network: "default" }]) {
    await expect(create("a", { mac, ...wishes })).rejects.toMatchObject(isReserved);
  }
  await expect(reserve({ ipv4: "10.9.0.21" })).rejects.toMatchObject(isReserved);
  const { id } = await create("b", { network: "default" });
  await expect(plug(id, { mac })).rejects.toMatchObject(isReserved);
  const isAnother = refused("mac", new RegExp(`reserved with the MAC ${mac}, not ${other}`));
  await expect(create("a", { ipv4: address, mac: other })).rejects.toMatchObject(isAnother);
  await expect(plug(id, { ipv4: address, mac: other })).rejects.toMatchObject(isAnother);
  expect((await create("a")).ipv4, "the lowest free one").toBe("10.9.0.2");
});

test("a MAC that an interface has, or had a moment ago, is not reserved, and the address stays free", async () => {
  const vm = await create("has", { mac });
  await expect(reserve()).rejects.toMatchObject(refused("mac", /the VM has has it\.$/));
  await convergeVm(context, vm.id);
  await destroy(vm);
  await expect(reserve()).rejects.toMatchObject(refused("mac", /has had it, and it is free again at 20/));
  expect(await inList()).toBeUndefined();
});

test("an end of the reservation leaves a VM what it has, in quarantine after it as any VM's", async () => {
  await reserve();
  const vm = await create("keeper", { ipv4: address });
  await freeInNetwork(context, labId, address);
  expect(await inList()).toMatchObject({ kind: "vm", mac: null, note: "" });
  await expect(freeInNetwork(context, labId, address)).rejects.toMatchObject({ code: "not_found" });
  await convergeVm(context, vm.id);
  await destroy(vm);
  expect(await inList()).toMatchObject({ kind: "quarantined", vm: { name: "keeper" } });
  await expect(create("heir", { ipv4: address })).rejects.toMatchObject(refused("ipv4", /keeper had it/));
});

test("one whose VM has just gone is freed into that VM's quarantine, and one of long ago at once", async () => {
  await reserve();
  for (const name of ["gone", "gone-again"]) {
    const vm = await create(name, { ipv4: address });
    await convergeVm(context, vm.id);
    await destroy(vm);
    if (name === "gone") {
      await plane.pool.query("update addresses set released_at = released_at - interval '11 minutes'");
      await create("passer-by");
      expect(await inList(), "it outlives the quarantine").toMatchObject({ kind: "reserved", mac });
    }
  }
  await freeInNetwork(context, labId, address);
  expect(await inList()).toMatchObject({ kind: "quarantined", vm: { name: "gone-again" } });
  await plane.pool.query("update addresses set released_at = released_at - interval '11 minutes'");
  expect(await inList()).toBeUndefined();
});

test("of many who ask for a reserved address, or reserve one MAC, at the same time, one has it", async () => {
  const reserved = await Promise.allSettled([20, 21, 22, 23].map((last) => reserve({ ipv4: `10.9.0.${last}` })));
  const won = reserved.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(won).toMatchObject([{ mac }]);
  const made = await Promise.allSettled(["a", "b", "c", "d"].map((name) => create(name, { ipv4: won[0]?.ipv4 })));
  expect(made.flatMap((one) => (one.status === "fulfilled" ? [one.value.mac] : []))).toEqual([mac]);
  for (const [field, all] of [["mac", reserved] as const, ["ipv4", made] as const]) {
    const reasons = all.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    for (const reason of reasons) expect(reason).toMatchObject(refused(field, /./));
  }
});

test("a MAC that is given at random is never a reserved one, nor one that is just being reserved", async () => {
  await reserve();
  const draws = [mac, "52:54:00:bb:00:03", other];
  const draw = () => draws.shift() ?? "";
  await context.db.transaction(async (tx) => {
    await reserveIn(tx, "10.9.0.21", "52:54:00:bb:00:03");
    expect(await context.db.transaction((second) => drawMac(second, draw))).toBe(other);
  });
});

test("whoever chooses a MAC while it is being reserved waits, and is told who has it", async () => {
  let chosen: Promise<unknown> = Promise.resolve();
  await context.db.transaction(async (tx) => {
    await reserveIn(tx, address, mac);
    chosen = create("late", { network: "default", mac }).catch((error: unknown) => error);
    await plane.waitingForLock(1);
  });
  expect(await chosen).toMatchObject(refused("mac", /reserved with 10\.9\.0\.20 in lab/));
});
