import { eq } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { connectionConfig } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import type { FieldErrors } from "../../domain/errors";
import type { Change } from "../../domain/event";
import type { UpdateNetwork } from "../../domain/network";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { createChangeFeed } from "../changeFeed";

import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { cloneVm } from "../snapshots/clone";
import { specOf } from "../spec";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { getVmRecord } from "../vms/view";
import { createNetwork, getNetwork, updateNetwork } from "./networks";

const plane = testControlPlane();
let context: Context;

beforeEach(async () => {
  await plane.pool.query("truncate hosts, networks restart identity cascade");
  const fake = createFakeHypervisor({ networkDriver: "user" });
  onTestFinished(() => fake.close());
  context = await plane.hostedContextWith(fake);
});

const make = (name: string, second: number, wishes: object = {}) =>
  createNetwork(context, { name, cidr: `10.1.${second}.0/24`, ...wishes });
const refusal = async (asked: Promise<unknown>): Promise<FieldErrors> => {
  const error = await asked.then(
    () => ({}),
    (error: { code: string; fields: FieldErrors }) => error,
  );
  expect(error).toMatchObject({ code: "conflict" });
  return "fields" in error ? error.fields : {};
};
/** As bridges had let it be. */
const write = (id: number, wishes: Partial<typeof networks.$inferInsert>) =>
  context.db.update(networks).set(wishes).where(eq(networks.id, id));

const wishes: [field: string, wish: UpdateNetwork][] = [
  ["outside", { outside: "routed" }],
  ["reaches", { reaches: [1] }],
  ["dnsServers", { dnsServers: ["9.9.9.9"] }],
  ["ipv6", { ipv6: true }],
];

test.each(wishes)("%s that a user-mode network can't have is refused, with the reason", async (field, wish) => {
  const { id } = await make("plain", 0);
  const why = { [field]: expect.stringMatching(/user-mode network.*The fake hypervisor/i) };
  expect(await refusal(make("wishful", 1, wish))).toEqual(why);
  expect(await refusal(updateNetwork(context, id, wish))).toEqual(why);
  expect(await getNetwork(context, id)).toMatchObject({ outside: "nat", reaches: [], dnsServers: [], ipv6Cidr: null });
});

test("a network from bridges stays, says what of it is not in effect, and can be changed otherwise", async () => {
  const { id } = await make("from-bridges", 0);
  expect(await getNetwork(context, id)).toMatchObject({ whyNot: null });
  await write(id, { outside: "routed", reaches: [1], dnsServers: ["9.9.9.9"], ipv6Cidr: "fd00:1:2:3::/64" });
  const { whyNot, outside, reaches, dnsServers } = await getNetwork(context, id);
  for (const word of ["by the host's address", "reaches no other", "name servers", "IPv6"]) {
    expect(whyNot).toContain(word);
  }
  const kept = { outside, reaches, dnsServers, ipv6: true };
  expect(await updateNetwork(context, id, { ...kept, description: "known" })).toMatchObject({ description: "known" });
  expect(await updateNetwork(context, id, { outside: "nat", reaches: [], dnsServers: [] })).toMatchObject({
    whyNot: expect.not.stringContaining("address"),
  });
});

test("a network without a way out has none in user mode either, which changes only while no VM in it runs", async () => {
  const { id } = await make("cut", 0, { outside: "none" });
  const asked = createVmSchema.parse({ name: "inside", image: "mini", size: "nano", network: "cut" });
  const vm = await createVm(context, systemActor, asked, null);
  const interfaces = async () => specOf(await getVmRecord(context.db, vm.id)).interfaces;
  expect(await interfaces()).toMatchObject([{ driver: "user", isRestricted: true }]);
  const why = { outside: expect.stringContaining("Stop these first: inside.") };
  expect(await refusal(updateNetwork(context, id, { outside: "nat" }))).toEqual(why);
  const link = { driver: "bridge" as const, host: vm.ipv4, port: 22 };
  await context.db.update(vms).set({ desired: "stopped", observedLink: link }).where(eq(vms.id, vm.id));
  expect(await refusal(updateNetwork(context, id, { outside: "nat" }))).toEqual(why);
  await context.db.update(vms).set({ observedLink: null }).where(eq(vms.id, vm.id));
  await updateNetwork(context, id, { outside: "nat" });
  expect(await interfaces()).toMatchObject([{ isRestricted: false }]);
});

test("a VM that is started while it is looked which VMs run is waited for, and seen", async () => {
  const { id } = await make("open", 0);
  const asked = createVmSchema.parse({ name: "starting", image: "mini", size: "nano", network: "open" });
  const vm = await createVm(context, systemActor, asked, null);
  await context.db.update(vms).set({ desired: "stopped" }).where(eq(vms.id, vm.id));
  let refused: Promise<FieldErrors> = Promise.resolve({});
  await context.db.transaction(async (tx) => {
    await tx.update(vms).set({ desired: "running" }).where(eq(vms.id, vm.id));
    refused = refusal(updateNetwork(context, id, { outside: "none" }));
    await plane.waitingForLock(1);
  });
  expect(await refused).toEqual({ outside: expect.stringContaining("Stop these first: starting.") });
});

test("a VM is cloned while its network is changed: one of them waits for the other, not each", async () => {
  const { id } = await make("cloned", 0);
  const asked = createVmSchema.parse({ name: "source", image: "mini", size: "nano", network: "cloned" });
  const vm = await createVm(context, systemActor, asked, null);
  await convergeVm(context, vm.id);
  let cloned: Promise<unknown> = Promise.resolve();
  let refused: Promise<FieldErrors> = Promise.resolve({});
  await context.db.transaction(async (tx) => {
    await tx.select().from(vms).where(eq(vms.id, vm.id)).for("update");
    cloned = cloneVm(context, systemActor, vm.id, { name: "copy" }, null);
    await plane.waitingForLock(1);
    refused = refusal(updateNetwork(context, id, { outside: "none" }));
    await plane.waitingForLock(2);
  });
  expect(await cloned).toMatchObject({ kind: "clone" });
  expect(await refused).toEqual({ outside: expect.stringContaining("source") });
});

test("a network without a way out names VMs that were started before there was such a thing, and have one", async () => {
  const { id } = await make("cut-late", 0, { outside: "none" });
  const asked = createVmSchema.parse({ name: "old", image: "mini", size: "nano", network: "cut-late" });
  const vm = await createVm(context, systemActor, asked, null);
  await convergeVm(context, vm.id);
  expect(await getNetwork(context, id)).toMatchObject({ whyNot: null });
  const link = { driver: "user" as const, host: "127.0.0.1", port: vm.ssh.port };
  const startedBefore = () => context.db.update(vms).set({ observedLink: link }).where(eq(vms.id, vm.id));
  await startedBefore();
  expect(await getNetwork(context, id)).toMatchObject({ whyNot: expect.stringContaining("still reach out: old.") });

  // Who looks at the network hears of it when that is no longer so.
  const heard: Change[] = [];
  onTestFinished(createChangeFeed(connectionConfig(context.settings), () => {}).subscribe((one) => heard.push(one)));
  const changes = async () => {
    await startedBefore();
    await convergeVm(context, vm.id);
    return heard;
  };
  await expect.poll(changes).toContainEqual({ kind: "network", id });
  expect(await getNetwork(context, id)).toMatchObject({ whyNot: null });
});
