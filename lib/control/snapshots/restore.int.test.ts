import { desc, eq } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { testHypervisor } from "../../agent/testAgent";
import { operations } from "../../db/schema/operations";
import { snapshots } from "../../db/schema/vms";
import { withStage } from "../../domain/firstBootReport";
import { createVmSchema } from "../../domain/vm";
import type { FakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { getOperation, type OperationRow } from "../operations";
import { endTask } from "../tasks/end";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { lockVm, powerVm } from "../vms/power";
import { getVm } from "../vms/view";
import { deleteSnapshot } from "./remove";
import { restoreSnapshot } from "./restore";
import { getSnapshot } from "./view";

const silent = { progress() {}, log() {} };

const plane = testControlPlane();
let hypervisor: FakeHypervisor;
let context: Context;

beforeEach(async () => {
  hypervisor = testHypervisor();
  context = await plane.hostedContextWith(hypervisor);
});

async function becomesReady(id: number): Promise<void> {
  const seen = async () => {
    await convergeVm(context, id);
    return getVm(context, id);
  };
  await expect.poll(seen).toMatchObject({ isReady: true });
}

async function createReady(name: string): Promise<number> {
  const input = createVmSchema.parse({ name, image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, name);
  await becomesReady(id);
  return id;
}

/** Converges a VM while something is asked for between the look at it and what is written of that. */
async function convergeMeanwhile(id: number, act: () => Promise<void>): Promise<void> {
  let isDone = false;
  const observe: Context["agent"]["observe"] = async (vmId) => {
    const seen = await context.agent.observe(vmId);
    if (!isDone) await act();
    isDone = true;
    return seen;
  };
  await convergeVm({ ...context, agent: { ...context.agent, observe } }, id);
}

async function taken(vmId: number, { memory }: { memory: boolean }): Promise<number> {
  const [row] = await context.db
    .insert(snapshots)
    .values({ vmId, name: "taken", origin: "user", hasMemory: memory })
    .returning();
  const snapshotId = row?.id ?? 0;
  const ask = { snapshotId, operationId: 0, memory, freeze: false };
  const manifest = await hypervisor.takeSnapshot(vmId, ask, silent, AbortSignal.timeout(10_000));
  await context.db.update(snapshots).set({ manifest }).where(eq(snapshots.id, snapshotId));
  return snapshotId;
}

/** When the clock of the VM's present boot began. */
async function acceptedAtMs(id: number): Promise<number> {
  const { timeline } = await getVm(context, id);
  return Date.parse(timeline.find(({ step }) => step === "accepted")?.at ?? "");
}

/** The task of an operation, as its end finds it. */
async function rowOf(operationId: number): Promise<OperationRow> {
  const [row] = await context.db.select().from(operations).where(eq(operations.id, operationId));
  if (!row) throw new Error(`There is no operation ${operationId}.`);
  return row;
}

test("a restore that is asked for while the VM is looked at goes by its own clock: the VM is ready in the boot that goes on", async () => {
  const id = await createReady("looked-at");
  const snapshotId = await taken(id, { memory: true });
  await powerVm(context, systemActor, id, "stop");
  await convergeVm(context, id);
  await powerVm(context, systemActor, id, "start");
  await becomesReady(id);

  hypervisor.tellFirstBoot(id, (report) => withStage(report, "final", new Date().toISOString()));
  let operationId = 0;
  await convergeMeanwhile(id, async () => {
    operationId = (await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: false })).id;
  });
  await hypervisor.restoreSnapshot(id, { snapshotId, operationId }, silent, AbortSignal.timeout(10_000));
  await endTask(context, await rowOf(operationId), { status: "done", result: { safety: null }, error: null });
  // Not by what was seen of the boot before.
  expect(await getVm(context, id)).toMatchObject({ isReady: false });
  await becomesReady(id);
});

/** A guest whose agent has not begun yet. */
async function standStillInBoot(id: number): Promise<void> {
  await hypervisor.pause(id);
  await hypervisor.reset(id, 0);
}

test.each([
  ["right", true, /^It goes on where it was\.$/],
  ["as it was", false, /^It goes on where it was\. Its clock is as it was then, since no agent answered in the guest/],
])("the end of a restore with memory says that the guest's clock is %s", async (_, hasGuestAgent, message) => {
  const id = await createReady(`clock-${hasGuestAgent}`);
  if (!hasGuestAgent) await standStillInBoot(id);
  const snapshotId = await taken(id, { memory: true });
  expect(await getSnapshot(context, snapshotId)).toMatchObject({ hasGuestAgent });
  const { id: operationId } = await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: false });
  const ask = { snapshotId, operationId };
  const { clockProblem } = await hypervisor.restoreSnapshot(id, ask, silent, AbortSignal.timeout(10_000));
  const result = { safety: null, clockProblem };
  await endTask(context, await rowOf(operationId), { status: "done", result, error: null });
  expect((await getOperation(context, operationId)).message).toMatch(message);
});

test.each(["failed", "cancelled"] as const)(
  "a VM whose restore %s before it began is as ready as it was",
  async (status) => {
    const id = await createReady(`restore-${status}`);
    const before = await getVm(context, id);
    const snapshotId = await taken(id, { memory: false });
    const { id: operationId } = await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: true });
    await convergeVm(context, id);
    const error = status === "failed" ? { message: "The disk of this host is too full." } : null;
    await endTask(context, await rowOf(operationId), { status, result: null, error });
    await convergeVm(context, id);
    expect(await getVm(context, id)).toMatchObject({ status: "running", isReady: true, timeline: before.timeline });
  },
);

test.each(["seen meanwhile", "seen afterwards"])(
  "a restore that is undone by a new boot, %s: that has a clock of its own",
  async (when) => {
    const id = await createReady(`undone-${when.replace(" ", "-")}`);
    const snapshotId = await taken(id, { memory: true });
    const asked = await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: false });
    await hypervisor.stop(id);
    await hypervisor.start(id);
    if (when === "seen meanwhile") await convergeVm(context, id);
    await endTask(context, await rowOf(asked.id), { status: "failed", result: null, error: { message: "No memory." } });
    await becomesReady(id);
    expect(await acceptedAtMs(id)).toBeGreaterThanOrEqual(Date.parse(asked.createdAt));
  },
);

test("a restore that was asked for before milestones were noted leaves those of the VM when it fails", async () => {
  const id = await createReady("older-restore");
  const snapshotId = await taken(id, { memory: false });
  const { id: operationId } = await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: false });
  const { milestones: meant } = await lockVm(context.db, id);
  const { taskParams, ...operation } = await rowOf(operationId);
  const { milestonesBefore: _, ...older } = z.record(z.string(), z.unknown()).parse(taskParams);
  await context.db.update(operations).set({ taskParams: older }).where(eq(operations.id, operationId));
  await endTask(context, { ...operation, taskParams: older }, { status: "failed", result: null, error: null });
  expect((await lockVm(context.db, id)).milestones).toEqual(meant);
});

test("what the host must be asked when a restore failed is asked while nobody waits for the operation's row", async () => {
  const id = await createReady("asked-outside");
  const snapshotId = await taken(id, { memory: false });
  const { id: operationId } = await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: true });
  const listSnapshots = async () => {
    await context.db.select().from(operations).where(eq(operations.id, operationId)).for("update", { noWait: true });
    return context.agent.listSnapshots();
  };
  const asking = { ...context, agent: { ...context.agent, listSnapshots } };
  await endTask(asking, await rowOf(operationId), { status: "failed", result: null, error: null });
  expect(await rowOf(operationId)).toMatchObject({ status: "failed" });
});

test("a safety snapshot that the host keeps after a restore that failed is there to be had back, and named by the operation", async () => {
  const id = await createReady("not-undone");
  const snapshotId = await taken(id, { memory: false });
  const asked = await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: true });
  const [safety] = await context.db
    .select()
    .from(snapshots)
    .where(eq(snapshots.origin, "safety"))
    .orderBy(desc(snapshots.id));
  if (!safety) throw new Error("There is no safety snapshot.");
  const ask = { snapshotId: safety.id, operationId: asked.id, memory: true, freeze: false };
  await hypervisor.takeSnapshot(id, ask, silent, AbortSignal.timeout(10_000));
  const error = { message: "The disk of the VM could not be given back." };
  await endTask(context, await rowOf(asked.id), { status: "failed", result: null, error });
  const [kept] = await context.db.select().from(snapshots).where(eq(snapshots.id, safety.id));
  expect(kept).toMatchObject({ desired: "present", deletedAt: null, manifest: { id: safety.id, hasMemory: true } });
  const reason = `The disk of the VM could not be given back. What the VM had before is kept in the snapshot “${safety.name}”: restore that to go on with it.`;
  expect(await rowOf(asked.id)).toMatchObject({ status: "failed", error: reason });
});

test.each(["shutdown", "stop"] as const)(
  "a VM that is told to start after a %s, before its guest has gone down, is as ready as it was",
  async (act) => {
    const id = await createReady(`stays-up-${act}`);
    const before = await getVm(context, id);
    await powerVm(context, systemActor, id, act);
    await powerVm(context, systemActor, id, "start");
    await convergeVm(context, id);
    expect(await getVm(context, id)).toMatchObject({ status: "running", isReady: true, timeline: before.timeline });
  },
);

test("a VM that is told to start when its guest has gone down unseen has a new clock", async () => {
  const id = await createReady("gone-down");
  await powerVm(context, systemActor, id, "stop");
  await hypervisor.stop(id);
  const { createdAt } = await powerVm(context, systemActor, id, "start");
  await becomesReady(id);
  expect(await acceptedAtMs(id)).toBeGreaterThanOrEqual(Date.parse(createdAt));
});

test("a snapshot stays as long as a VM that was made from it has no disk yet", async () => {
  const id = await createReady("source");
  const snapshotId = await taken(id, { memory: false });
  const input = createVmSchema.parse({ name: "made-from-it", snapshot: snapshotId, size: "nano" });
  const made = await createVm(context, systemActor, input, "made-from-it");
  await expect(deleteSnapshot(context, systemActor, snapshotId)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("made-from-it"),
  });
  await convergeVm(context, made.id);
  expect(await deleteSnapshot(context, systemActor, snapshotId)).toMatchObject({ kind: "snapshot-remove" });
});
