import { isDeepStrictEqual } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openPool } from "../../lib/db/client";
import { unnamedLayers } from "../../lib/doctor/checks/unnamedLayers";
import { gatherSnapshot } from "../../lib/doctor/gather";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { snapshotFailpoints, taskFailpoints } from "../../lib/failpoints";
import { chosenCases } from "../../lib/system/testing/slowTests";
import { until } from "../stack";
import { type FaultStack, type Part, startFaultStack } from "./faultStack";

type Act = "snapshot" | "restore" | "delete-snapshot" | "clone";
type Place = (typeof taskFailpoints)[number] | (typeof snapshotFailpoints)[number];

const acts: readonly Act[] = ["snapshot", "restore", "delete-snapshot", "clone"];

/** In which acts the code comes to each place. A new place is a type error until it stands here, and then it is tested. */
const actsOf: Record<Place, readonly Act[]> = {
  "snapshot.committed": ["snapshot"],
  "restore.committed": ["restore"],
  "snapshot-remove.committed": ["delete-snapshot"],
  "clone.committed": ["clone"],
  "task.asked": acts,
  "task.before-end": acts,
  "task.ended": acts,
  "agent.snapshot.overlay-made": ["snapshot", "clone"],
  "agent.snapshot.cut-written": ["snapshot"],
  "agent.snapshot.frozen": ["snapshot"],
  // Only much memory is copied.
  "agent.snapshot.copying": [],
  "agent.snapshot.held": ["snapshot"],
  "agent.snapshot.switched": ["snapshot", "clone"],
  "agent.snapshot.resumed": ["snapshot"],
  "agent.snapshot.layer-written": ["snapshot"],
  "agent.snapshot.layer-moved": ["snapshot", "clone"],
  "agent.snapshot.before-complete": ["snapshot"],
  "agent.snapshot.complete": ["snapshot", "clone"],
  "agent.restore.disk-made": ["restore"],
  "agent.restore.stopped": ["restore"],
  "agent.restore.switched": ["restore"],
  "agent.restore.started": ["restore"],
  "agent.snapshot-remove.renamed": ["delete-snapshot"],
  "agent.merge.written": ["delete-snapshot"],
  "agent.merge.replaced": ["delete-snapshot"],
  "agent.merge.unlinked": ["delete-snapshot"],
};

const kinds = {
  snapshot: "snapshot-take",
  restore: "snapshot-restore",
  "delete-snapshot": "snapshot-remove",
  clone: "clone",
} as const satisfies Record<Act, Operation["kind"]>;

/** A memory snapshot and a boot, on a machine that is loaded. */
const deadlineMs = 90_000;

let stack: FaultStack;
let subject: Vm;
/** What the VM is restored to. */
let base: Snapshot;

beforeAll(async () => {
  stack = await startFaultStack();
  subject = await stack.createVm("subject");
  await stack.settles(subject.id, { isReady: true }, deadlineMs);
  base = await take("base", true);
}, 200_000);
afterEach(() => stack.revive());
afterAll(() => stack?.stop());

const cases = chosenCases(actsOf);
const casesOf = (places: readonly Place[]) => cases.filter(([place]) => places.includes(place));

const deaths: [victim: Part, places: readonly Place[]][] = [
  ["console", taskFailpoints],
  ["postgres", ["snapshot.committed", "restore.committed", "snapshot-remove.committed", "clone.committed"]],
  ["agent", snapshotFailpoints],
];

describe.each(deaths)("the %s is killed", (victim, places) => {
  test.each(casesOf(places))(
    "at %s: the %s is whole or undone after a restart, and the VM runs",
    async (place, act) => {
      const doomed = act === "delete-snapshot" ? await takeThree() : undefined;
      const newest = (await operations())[0]?.id ?? 0;
      await stack.arm(place, victim);
      await ask(act, doomed);
      await stack.died(victim);
      await stack.revive();
      await isWhole(act, await ended(await acknowledged(act, newest, doomed)), doomed);
      await stack.settles(subject.id, { status: "running" }, deadlineMs);
      await stack.agrees();
      await hasNoMore();
      await clean();
    },
  );
});

let count = 0;

/** Asks once. The answer may be lost, or say that the database is away. */
function ask(act: Act, doomed: Snapshot | undefined) {
  count += 1;
  const name = `${act}-${count}`;
  if (act === "snapshot") return stack.tryApi("POST", `/api/vms/${subject.id}/snapshots`, { name, memory: true });
  if (act === "restore") return stack.tryApi("POST", `/api/snapshots/${base.id}/restore`, { safetySnapshot: true });
  if (act === "clone") return stack.tryApi("POST", `/api/vms/${subject.id}/clone`, { name });
  return stack.tryApi("DELETE", `/api/snapshots/${doomed?.id}`);
}

/** What came of the request. One that was lost before it was written down is asked for again. */
async function acknowledged(act: Act, newestBefore: number, doomed: Snapshot | undefined): Promise<number> {
  const find = async () => (await operations()).find(({ id, kind }) => id > newestBefore && kind === kinds[act])?.id;
  const operationId = await find();
  if (operationId !== undefined) return operationId;
  await ask(act, doomed);
  return (await find()) ?? expect.unreachable(`the ${act} was asked for again and is not there`);
}

async function ended(id: number): Promise<Operation> {
  let operation: Operation | undefined;
  const isEnded = async () => {
    operation = (await stack.tryApi<Operation>("GET", `/api/operations/${id}`))?.body;
    return operation?.finishedAt != null;
  };
  await until(`operation ${id} ended`, isEnded, deadlineMs);
  return operation as Operation;
}

async function isWhole(act: Act, operation: Operation, doomed: Snapshot | undefined): Promise<void> {
  const [shown, onHost] = [await snapshots(), await stack.agent.listSnapshots()];
  expect(onHost.map(({ id }) => id)).toEqual(expect.arrayContaining(shown.map(({ id }) => id)));
  expect(shown.filter(({ status }) => status !== "available")).toEqual([]);
  switch (act) {
    case "snapshot": {
      // QEMU's memory of before the agent's death can't be had again: then it failed, and there is none.
      const isThere = shown.some(({ id }) => id === operation.result?.snapshotId);
      expect(isThere).toBe(operation.status === "done");
      return;
    }
    case "restore":
      expect(operation).toMatchObject({ status: "done", error: null });
      return;
    case "delete-snapshot":
      expect(operation).toMatchObject({ status: "done", error: null });
      expect(shown.map(({ id }) => id)).not.toContain(doomed?.id);
      return;
    case "clone": {
      const clone = operation.vm?.id ?? 0;
      await stack.settles(clone, { status: operation.status === "done" ? "running" : "failed" }, deadlineMs);
      await stack.api("DELETE", `/api/vms/${clone}`);
      await stack.isGone(clone, deadlineMs);
    }
  }
}

/** The host has the snapshots that people see and, when what a clone was made from is gone, no other; and it gives back layers that nothing names. */
async function hasNoMore(): Promise<void> {
  const sorted = (found: { id: number }[]) => found.map(({ id }) => id).sort((a, b) => a - b);
  const isSame = async () => isDeepStrictEqual(sorted(await stack.agent.listSnapshots()), sorted(await snapshots()));
  await until("the snapshots on the host are those that are shown", isSame, deadlineMs);
  const pool = openPool(stack.settings, { maxConnections: 1 });
  try {
    const isGivenBack = async () => unnamedLayers(await gatherSnapshot(stack.settings, pool)).length === 0;
    await until("every layer is named by something", isGivenBack, deadlineMs);
  } finally {
    await pool.end();
  }
}

/** Deletes what a case has left but for the one that is restored to. */
async function clean(): Promise<void> {
  for (const { id } of await snapshots()) {
    if (id === base.id) continue;
    const { body } = await stack.api<Operation>("DELETE", `/api/snapshots/${id}`);
    await ended(body.id);
  }
}

/** Takes three and answers the middle one. */
async function takeThree(): Promise<Snapshot> {
  await take("first");
  const middle = await take("middle");
  await take("last");
  return middle;
}

async function take(name: string, memory = false): Promise<Snapshot> {
  const { body } = await stack.api<Operation>("POST", `/api/vms/${subject.id}/snapshots`, { name, memory });
  const { result, error } = await ended(body.id);
  expect(error).toBeNull();
  return (await stack.api<Snapshot>("GET", `/api/snapshots/${result?.snapshotId}`)).body;
}

const operations = async () => (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items;
const snapshots = async () => (await stack.api<{ items: Snapshot[] }>("GET", "/api/snapshots")).body.items;
