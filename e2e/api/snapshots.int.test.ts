import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Host } from "../../lib/domain/host";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { SnapshotCost } from "../../lib/domain/snapshotManifest";
import type { Vm } from "../../lib/domain/vm";
import { signal } from "../../lib/system/testing/signal";
import { type Stack, startStack, until } from "../stack";
import { snapshotClient } from "./snapshotClient";

let stack: Stack;
let api: ReturnType<typeof snapshotClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = snapshotClient(stack);
});
afterAll(() => stack?.stop());

/** What is asked for meanwhile stays open: the agent stands still, and is then another one. */
const whileAgentStandsStill = async (ask: () => Promise<void>) => {
  signal(await stack.pidOf("agent"), "SIGSTOP");
  try {
    await ask();
  } finally {
    await stack.kill("agent");
    await untilSeen(false);
    await stack.startAgent();
    await untilSeen(true);
  }
};

/** A host whose agent the console has not seen yet is given no VMs. */
const untilSeen = (isReachable: boolean) =>
  until(
    `the console sees the agent: ${isReachable}`,
    async () => (await stack.api<Host>("GET", "/api/host")).body.isReachable === isReachable,
  );

describe("taking snapshots", () => {
  test("of a running VM: disk alone, and with memory; each tells its cost, consistency and pause", async () => {
    const vm = await api.create("take");
    const { body: cost } = await stack.api<SnapshotCost>("GET", `/api/vms/${vm.id}/snapshots/cost`);
    expect(cost).toEqual({ diskBytes: expect.any(Number), memoryBytes: expect.any(Number), keptBytes: 0 });
    expect(cost.memoryBytes).toBeGreaterThan(vm.size.memoryBytes);
    const first = await api.take(vm.id, { name: "before the upgrade", note: "All is well." });
    expect(first).toMatchObject({
      name: "before the upgrade",
      note: "All is well.",
      vm: { id: vm.id, name: "take", deleted: false },
      status: "available",
      origin: "user",
      hasMemory: false,
      consistency: "filesystem",
      pauseMs: expect.any(Number),
      virtualBytes: vm.size.diskBytes,
      parentId: null,
      operationId: null,
    });
    const second = await api.take(vm.id, { memory: true });
    expect(second).toMatchObject({ consistency: "memory", hasMemory: true, parentId: first.id });
    expect(second.name).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(second.memoryBytes).toBe(vm.size.memoryBytes);
    expect((await api.snapshotsOf(vm.id)).map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(await api.vmOf(vm.id)).toMatchObject({ status: "running", isReady: true });
  });

  test("of a VM that is off: the disk; memory is refused with the states that have it", async () => {
    const vm = await api.create("take-off");
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    expect(await api.take(vm.id), "turned off by force").toMatchObject({ consistency: "crash", pauseMs: 0 });
    await api.refuses(
      `/api/vms/${vm.id}/snapshots`,
      { memory: true },
      { status: 409, code: "wrong_state", allowed: ["running", "paused"] },
    );
    expect(await api.snapshotsOf(vm.id)).toHaveLength(1);
    await api.does("POST", `/api/vms/${vm.id}/start`);
    await api.does("POST", `/api/vms/${vm.id}/shutdown`);
    expect(await api.take(vm.id), "turned off by itself").toMatchObject({ consistency: "filesystem", pauseMs: 0 });
  });

  test("the same Idempotency-Key takes one, also in parallel; names are given once", async () => {
    const vm = await api.create("take-once");
    const headers = { "idempotency-key": "take-once" };
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        stack.api<Operation>("POST", `/api/vms/${vm.id}/snapshots`, { name: "once" }, headers),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await api.ended(answers[0]?.body.id ?? 0);
    expect(await api.snapshotsOf(vm.id)).toHaveLength(1);
    await api.refuses(
      `/api/vms/${vm.id}/snapshots`,
      { name: "once" },
      { status: 409, code: "conflict", fields: { name: "This name is taken." } },
    );
  });

  test("one that is cancelled leaves nothing to be seen, and its name is free", async () => {
    const vm = await api.create("take-cancelled");
    let operationId = 0;
    await whileAgentStandsStill(async () => {
      const { body: asked } = await stack.api<Operation>("POST", `/api/vms/${vm.id}/snapshots`, { name: "never" });
      operationId = asked.id;
      const [seen] = await api.snapshotsOf(vm.id);
      expect(seen).toMatchObject({ name: "never", status: "creating", operationId });
      const early = { status: 409, code: "wrong_state", allowed: ["available"] };
      await api.refuses(`/api/snapshots/${seen?.id}`, undefined, early, "DELETE");
      await api.refuses(`/api/snapshots/${seen?.id}/restore`, {}, early);
      await stack.api("POST", `/api/operations/${operationId}/cancel`, {});
    });
    await api.ended(operationId, "cancelled");
    expect(await api.snapshotsOf(vm.id)).toEqual([]);
    expect(await stack.agent.listSnapshots()).not.toContainEqual(expect.objectContaining({ vmId: vm.id }));
    await api.take(vm.id, { name: "never" });
  });
});

describe("restoring", () => {
  test("a disk: a VM that runs boots from it, one that is off stays off", async () => {
    const vm = await api.create("restore-disk");
    const snapshot = await api.take(vm.id);
    const { bootCount } = await stack.agent.observe(vm.id);
    await api.does("POST", `/api/snapshots/${snapshot.id}/restore`);
    await until("it has booted", async () => (await api.vmOf(vm.id)).isReady);
    expect((await stack.agent.observe(vm.id)).bootCount).toBeGreaterThan(bootCount);
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    await api.does("POST", `/api/vms/${vm.id}/snapshots/${snapshot.id}/restore`);
    expect(await api.vmOf(vm.id)).toMatchObject({ status: "stopped", desired: "stopped" });
  });

  test("memory: it goes on without a boot, also when it was off, with the shape that it had and its own address", async () => {
    const vm = await api.create("restore-memory");
    const snapshot = await api.take(vm.id, { memory: true });
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    const { body: resized } = await stack.api<Vm>("PATCH", `/api/vms/${vm.id}`, { size: "micro" });
    const { bootCount } = await stack.agent.observe(vm.id);
    await api.does("POST", `/api/snapshots/${snapshot.id}/restore`);
    await until("it runs", async () => (await api.vmOf(vm.id)).status === "running");
    const restored = await api.vmOf(vm.id);
    const { vcpus, memoryBytes } = vm.size;
    expect(restored).toMatchObject({ desired: "running", ipv4: vm.ipv4, mac: vm.mac, name: vm.name });
    // A disk that has grown stays so: what the guest sees of it grows again at its next start.
    expect(restored.size).toEqual({ name: null, vcpus, memoryBytes, diskBytes: resized.size.diskBytes });
    expect((await stack.agent.observe(vm.id)).bootCount).toBe(bootCount);
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    await api.does("POST", `/api/vms/${vm.id}/start`);
  });

  test("memory of before another boot: the VM is ready, with the times of the boot that goes on, and again when it was taken so", async () => {
    const vm = await api.create("restore-older-boot");
    const isReady = () => until("it is ready", async () => (await api.vmOf(vm.id)).isReady);
    const { timeline } = await api.vmOf(vm.id);
    const snapshot = await api.take(vm.id, { memory: true });
    const disk = await api.take(vm.id);
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    await api.does("POST", `/api/vms/${vm.id}/start`);
    await api.does("POST", `/api/snapshots/${snapshot.id}/restore`);
    await isReady();
    const restored = (await api.vmOf(vm.id)).timeline;
    expect(restored.every(({ state }) => state === "done")).toBe(true);
    const sshOf = (steps: Vm["timeline"]) => steps.find(({ step }) => step === "ssh")?.at;
    expect(sshOf(restored)).toBe(sshOf(timeline));

    const again = await api.take(vm.id, { memory: true });
    await api.does("POST", `/api/snapshots/${disk.id}/restore`);
    await isReady();
    await api.does("POST", `/api/snapshots/${again.id}/restore`);
    await isReady();
    expect(sshOf((await api.vmOf(vm.id)).timeline)).toBe(sshOf(timeline));
  });

  test("of memory, when asked for the disk alone: a VM that runs boots from it, one that is off stays off", async () => {
    const vm = await api.create("restore-disk-alone");
    const snapshot = await api.take(vm.id, { memory: true });
    const { message } = await api.does("POST", `/api/snapshots/${snapshot.id}/restore`, { memory: false });
    expect(message).toBe("Its disk is as it was.");
    await until("it has booted", async () => (await api.vmOf(vm.id)).isReady);
    const sshAt = (await api.vmOf(vm.id)).timeline.find(({ step }) => step === "ssh")?.at ?? "";
    expect(Date.parse(sshAt)).toBeGreaterThan(Date.parse(snapshot.createdAt));
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    await api.does("POST", `/api/snapshots/${snapshot.id}/restore`, { memory: false });
    expect(await api.vmOf(vm.id)).toMatchObject({ desired: "stopped", status: "stopped" });
    const disk = await api.take(vm.id);
    const wanted = { status: 400, fields: { memory: expect.stringContaining("disk alone") } };
    await api.refuses(`/api/snapshots/${disk.id}/restore`, { memory: true }, wanted);
  });

  test("with a safety snapshot: one operation, after which what was replaced can be had back", async () => {
    const vm = await api.create("restore-safely");
    const snapshot = await api.take(vm.id, { name: "good" });
    const { result } = await api.does("POST", `/api/snapshots/${snapshot.id}/restore`, { safetySnapshot: true });
    const safety = await api.snapshotOf(result?.safetySnapshotId as number);
    expect(safety).toMatchObject({
      origin: "safety",
      status: "available",
      hasMemory: true,
      note: "Taken before the VM was restored to “good”.",
    });
    await api.does("POST", `/api/snapshots/${safety.id}/restore`);
  });

  test("while it is open nothing else of the kind is taken, and when it is cancelled the same is wanted of the VM as before", async () => {
    const vm = await api.create("restore-held");
    const snapshot = await api.take(vm.id, { memory: true });
    await api.does("POST", `/api/vms/${vm.id}/stop`);
    let operationId = 0;
    await whileAgentStandsStill(async () => {
      const path = `/api/snapshots/${snapshot.id}/restore`;
      const { body: open } = await stack.api<Operation>("POST", path, { safetySnapshot: true });
      operationId = open.id;
      expect(await api.vmOf(vm.id)).toMatchObject({ desired: "running", observed: "stopped" });
      const busy = { status: 409, code: "conflict" };
      await api.refuses(path, {}, busy);
      await api.refuses(`/api/vms/${vm.id}/snapshots`, {}, busy);
      await api.refuses(`/api/vms/${vm.id}/clone`, { name: "restore-held-clone" }, busy);
      await api.refuses(`/api/snapshots/${snapshot.id}`, undefined, busy, "DELETE");
      await stack.api("POST", `/api/operations/${operationId}/cancel`, {});
    });
    await api.ended(operationId, "cancelled");
    await until("it is off again", async () => (await api.vmOf(vm.id)).status === "stopped");
    expect((await api.snapshotsOf(vm.id)).map(({ id }) => id)).toEqual([snapshot.id]);
  });

  test("to a snapshot of a VM that is destroyed is refused, with what to do instead", async () => {
    const vm = await api.create("restore-gone");
    const snapshot = await api.take(vm.id);
    await api.does("DELETE", `/api/vms/${vm.id}`);
    expect(await api.snapshotOf(snapshot.id)).toMatchObject({ vm: { name: "restore-gone", deleted: true } });
    const wanted = { status: 409, code: "conflict", detail: expect.stringContaining("Create a new VM from it") };
    await api.refuses(`/api/snapshots/${snapshot.id}/restore`, {}, wanted);
  });
});

test("the snapshot that the disk builds on now is told, whatever was taken, restored, cloned and deleted", async () => {
  const vm = await api.create("current");
  const first = await api.take(vm.id);
  const second = await api.take(vm.id);
  expect(await api.currentOf(vm.id)).toBe(second.id);
  const { result } = await api.does("POST", `/api/snapshots/${first.id}/restore`, { safetySnapshot: true });
  expect(await api.currentOf(vm.id)).toBe(first.id);
  const clone = await api.does("POST", `/api/vms/${vm.id}/clone`, { name: "current-clone" });
  expect(await api.currentOf(vm.id)).toBe(first.id);
  expect(await api.currentOf(clone.vm?.id ?? 0)).toBeNull();
  const branch = await api.take(vm.id);
  expect(branch.parentId, "as the host has it").toBe(first.id);
  expect(await api.currentOf(vm.id)).toBe(branch.id);
  await api.does("DELETE", `/api/snapshots/${branch.id}`);
  expect(await api.currentOf(vm.id)).toBe(first.id);
  await api.does("DELETE", `/api/snapshots/${first.id}`);
  expect(await api.currentOf(vm.id)).toBeNull();
  expect((await api.snapshotsOf(vm.id)).map(({ id }) => id)).toEqual([second.id, result?.safetySnapshotId]);
  await api.does("POST", `/api/snapshots/${second.id}/restore`);
  expect(await api.currentOf(vm.id)).toBe(second.id);
  await api.does("DELETE", `/api/vms/${vm.id}`);
  expect(await api.snapshotOf(second.id)).toMatchObject({ isCurrent: false });
});

describe("deleting", () => {
  test("in any order; what came from the middle one then comes from the first", async () => {
    const vm = await api.create("delete");
    const [first, middle, last] = [await api.take(vm.id), await api.take(vm.id), await api.take(vm.id)];
    expect([middle.parentId, last.parentId]).toEqual([first.id, middle.id]);
    await api.does("DELETE", `/api/snapshots/${middle.id}`);
    expect((await stack.api("GET", `/api/snapshots/${middle.id}`)).status).toBe(404);
    expect((await api.snapshotOf(last.id)).parentId).toBe(first.id);
    await api.does("DELETE", `/api/vms/${vm.id}/snapshots/${first.id}`);
    expect(await api.snapshotOf(last.id)).toMatchObject({ parentId: null, status: "available" });
    const next = await api.take(vm.id);
    expect(next.parentId).toBe(last.id);
    expect((await stack.agent.listSnapshots()).filter(({ vmId }) => vmId === vm.id)).toHaveLength(2);
  });

  test("destroying a VM keeps its snapshots, or takes them along when asked to", async () => {
    const kept = await api.create("destroy-kept");
    const keptSnapshot = await api.take(kept.id);
    await api.does("DELETE", `/api/vms/${kept.id}`);
    expect(await api.snapshotOf(keptSnapshot.id)).toMatchObject({ status: "available" });
    const vm = await api.create("destroy-all");
    const [first, second] = [await api.take(vm.id), await api.take(vm.id)];
    await api.does("DELETE", `/api/vms/${vm.id}?snapshots=delete`);
    for (const { id } of [first, second]) {
      await until("it is gone", async () => (await stack.api("GET", `/api/snapshots/${id}`)).status === 404);
    }
    expect((await stack.agent.listSnapshots()).filter(({ vmId }) => vmId === vm.id)).toEqual([]);
    const { body } = await stack.api<{ items: Snapshot[] }>("GET", `/api/snapshots?vm=${kept.id}`);
    expect(body.items.map(({ id }) => id)).toEqual([keptSnapshot.id]);
  });
});
