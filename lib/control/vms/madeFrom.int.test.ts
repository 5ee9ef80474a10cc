import { isDeepStrictEqual } from "node:util";
import { eq } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { changeChannel } from "../../domain/event";
import { createVmSchema, type Vm } from "../../domain/vm";
import type { FakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { cloneVm } from "../snapshots/clone";
import { deleteSnapshot } from "../snapshots/remove";
import { getSnapshot } from "../snapshots/view";
import { endTask } from "../tasks/end";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "./create";
import { destroyVm } from "./destroy";
import { updateVm } from "./update";
import { getVm, listVms } from "./view";

const plane = testControlPlane();
let hypervisor: FakeHypervisor;
let context: Context;

beforeEach(async () => {
  hypervisor = testHypervisor();
  context = await plane.hostedContextWith(hypervisor);
});

async function create(name: string, from: { image: string } | { snapshot: number }): Promise<Vm> {
  const vm = await createVm(context, systemActor, createVmSchema.parse({ name, size: "nano", ...from }), name);
  await convergeVm(context, vm.id);
  return vm;
}

async function destroy({ id }: Vm): Promise<void> {
  await destroyVm(context, systemActor, id, { withSnapshots: false });
  await convergeVm(context, id);
}

/** A snapshot named "before" that is whole. */
async function takeOf(vmId: number): Promise<number> {
  const [row] = await context.db
    .insert(snapshots)
    .values({ vmId, name: "before", origin: "user", hasMemory: false })
    .returning();
  const snapshotId = row?.id ?? 0;
  const ask = { snapshotId, operationId: 0, memory: false, freeze: false };
  const silent = { progress() {}, log() {} };
  const manifest = await hypervisor.takeSnapshot(vmId, ask, silent, AbortSignal.timeout(10_000));
  await context.db.update(snapshots).set({ manifest }).where(eq(snapshots.id, snapshotId));
  return snapshotId;
}

async function removeSnapshot(snapshotId: number): Promise<void> {
  const { id } = await deleteSnapshot(context, systemActor, snapshotId);
  const [row] = await context.db.select().from(operations).where(eq(operations.id, id));
  if (!row) throw new Error(`There is no operation ${id}.`);
  await endTask(context, row, { status: "done", result: null, error: null });
}

/** As it is answered alone, after it was seen to be the same in the list. */
async function madeFrom(vm: Vm): Promise<Vm["madeFrom"]> {
  const alone = await getVm(context, vm.id);
  const listed = (await listVms(context, {})).find(({ id }) => id === vm.id);
  expect(listed?.madeFrom).toEqual(alone.madeFrom);
  return alone.madeFrom;
}

test("a VM that was made from a snapshot names it and its VM, by their present names and also when they are gone", async () => {
  const web = await create("web", { image: "mini" });
  expect(await madeFrom(web)).toBeNull();
  const before = { id: await takeOf(web.id), name: "before", deleted: false };
  const heir = await create("heir", { snapshot: before.id });
  expect(await madeFrom(heir)).toEqual({ snapshot: before, vm: { id: web.id, name: "web", deleted: false } });

  await updateVm(context, systemActor, web.id, { name: "web-1" });
  await destroy(web);
  const source = { id: web.id, name: "web-1", deleted: true };
  expect(await madeFrom(heir)).toEqual({ snapshot: before, vm: source });

  await removeSnapshot(before.id);
  expect(await madeFrom(heir)).toEqual({ snapshot: { ...before, deleted: true }, vm: source });
});

test("a clone names its VM, and not the snapshot that nobody sees", async () => {
  const original = await create("original", { image: "mini" });
  const { vm } = await cloneVm(context, systemActor, original.id, { name: "twin" }, null);
  const twin = await getVm(context, vm?.id ?? 0);
  expect(await madeFrom(twin)).toEqual({ snapshot: null, vm: { id: original.id, name: "original", deleted: false } });
});

test("a snapshot names the live VMs that were made from it, by name", async () => {
  const db = await create("db", { image: "mini" });
  const snapshotId = await takeOf(db.id);
  expect(await getSnapshot(context, snapshotId)).toMatchObject({ vmCount: 0, vms: [] });
  const second = await create("db-b", { snapshot: snapshotId });
  const first = await create("db-a", { snapshot: snapshotId });
  expect(await getSnapshot(context, snapshotId)).toMatchObject({
    vmCount: 2,
    vms: [first, second].map(({ id, name }) => ({ id, name })),
  });
  await destroy(first);
  expect(await getSnapshot(context, snapshotId)).toMatchObject({
    vmCount: 1,
    vms: [{ id: second.id, name: "db-b" }],
  });
});

/** How often a change is announced, from here on. */
async function announcementsOf(change: object): Promise<(times: number) => Promise<void>> {
  const announced: unknown[] = [];
  const client = await plane.pool.connect();
  onTestFinished(() => client.release(true));
  client.on("notification", ({ payload }) => announced.push(JSON.parse(payload ?? "")));
  await client.query(`listen ${changeChannel}`);
  return async (times) => {
    await expect.poll(() => announced.filter((one) => isDeepStrictEqual(one, change)).length).toBe(times);
  };
}

test("a snapshot is announced when a VM that was made from it comes, is renamed and goes", async () => {
  const app = await create("app", { image: "mini" });
  const snapshotId = await takeOf(app.id);
  const told = await announcementsOf({ kind: "snapshot", id: snapshotId, vmId: app.id });
  const made = await create("app-a", { snapshot: snapshotId });
  await told(1);
  await updateVm(context, systemActor, made.id, { name: "app-b" });
  await told(2);
  await destroy(made);
  await told(3);
});

test("a VM is announced when the one that it was made from is renamed and goes", async () => {
  const source = await create("forebear", { image: "mini" });
  const heir = await create("descendant", { snapshot: await takeOf(source.id) });
  const told = await announcementsOf({ kind: "vm", id: heir.id });
  await updateVm(context, systemActor, source.id, { name: "forebear-1" });
  await told(1);
  await destroy(source);
  await told(2);
});
