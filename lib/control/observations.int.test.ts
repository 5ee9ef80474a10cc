import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testHypervisor } from "../agent/testAgent";
import { operations } from "../db/schema/operations";
import { snapshots } from "../db/schema/vms";
import { withStage } from "../domain/firstBootReport";
import { createVmSchema } from "../domain/vm";
import type { FakeHypervisor } from "../hypervisor/fake";
import { type Context, systemActor } from "./context";
import { convergeVm } from "./converge";
import { ensureBaseRows, refreshHost } from "./hosts";
import { restoreSnapshot } from "./snapshots/restore";
import { endTask } from "./tasks/end";
import { startTestControlPlane, type TestControlPlane } from "./testControlPlane";
import { createVm } from "./vms/create";
import { powerVm } from "./vms/power";
import { getVm } from "./vms/view";

const silent = { progress() {}, log() {} };

let plane: TestControlPlane;
let hypervisor: FakeHypervisor;
let context: Context;

beforeAll(async () => {
  plane = await startTestControlPlane();
});
afterAll(async () => {
  await plane.close();
});
beforeEach(async () => {
  hypervisor = testHypervisor();
  context = await plane.contextWith(hypervisor);
  await ensureBaseRows(context);
  await refreshHost(context);
});

async function becomesReady(id: number): Promise<void> {
  await expect
    .poll(async () => convergeVm(context, id).then(() => getVm(context, id)), { timeout: 10_000 })
    .toMatchObject({
      isReady: true,
    });
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

async function takenWithMemory(vmId: number): Promise<number> {
  const [row] = await context.db
    .insert(snapshots)
    .values({ vmId, name: "with-memory", origin: "user", hasMemory: true })
    .returning();
  const snapshotId = row?.id ?? 0;
  const ask = { snapshotId, operationId: 0, memory: true, freeze: false };
  const manifest = await hypervisor.takeSnapshot(vmId, ask, silent, AbortSignal.timeout(10_000));
  await context.db.update(snapshots).set({ manifest }).where(eq(snapshots.id, snapshotId));
  return snapshotId;
}

test("a restore that is asked for while the VM is looked at goes by its own clock: the VM is ready in the boot that goes on", async () => {
  const input = createVmSchema.parse({ name: "looked-at", image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, "looked-at");
  await becomesReady(id);
  const snapshotId = await takenWithMemory(id);
  await powerVm(context, systemActor, id, "stop");
  await convergeVm(context, id);
  await powerVm(context, systemActor, id, "start");
  await becomesReady(id);

  hypervisor.tellFirstBoot(id, (report) => withStage(report, "final", new Date().toISOString()));
  await convergeMeanwhile(id, async () => {
    await restoreSnapshot(context, systemActor, snapshotId, { safetySnapshot: false });
  });
  const [operation] = await context.db.select().from(operations).where(eq(operations.kind, "snapshot-restore"));
  if (!operation) throw new Error("The restore was not asked for.");
  await hypervisor.restoreSnapshot(id, { snapshotId, operationId: operation.id }, silent, AbortSignal.timeout(10_000));
  await endTask(context, operation, { status: "done", result: { safety: null }, error: null });
  // Not by what was seen of the boot before.
  expect(await getVm(context, id)).toMatchObject({ isReady: false });
  await becomesReady(id);
});
