import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { snapshots } from "../../db/schema/vms";
import { createVmSchema } from "../../domain/vm";
import { systemActor } from "../context";
import { convergeVm } from "../converge";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { sweepSnapshots } from "./sweep";
import { getSnapshot } from "./view";

const plane = testControlPlane();

test("of a snapshot that an older console wrote down, the host tells whether its guest had an agent", async () => {
  const hypervisor = testHypervisor();
  const context = await plane.hostedContextWith(hypervisor);
  const input = createVmSchema.parse({ name: "web", image: "mini", size: "nano" });
  const { id: vmId } = await createVm(context, systemActor, input, "web");
  await convergeVm(context, vmId);
  await expect.poll(async () => (await hypervisor.observe(vmId)).milestones.ssh).toBeDefined();
  const row = { vmId, name: "taken", origin: "user", hasMemory: true } as const;
  const [snapshot] = await context.db.insert(snapshots).values(row).returning();
  const snapshotId = snapshot?.id ?? 0;
  const ask = { snapshotId, operationId: 0, memory: true, freeze: false };
  const silent = { progress() {}, log() {} };
  const taken = await hypervisor.takeSnapshot(vmId, ask, silent, AbortSignal.timeout(10_000));
  await context.db
    .update(snapshots)
    .set({ manifest: { ...taken, hasGuestAgent: null } })
    .where(eq(snapshots.id, snapshotId));
  expect(await getSnapshot(context, snapshotId)).toMatchObject({ hasGuestAgent: null });
  await sweepSnapshots(context);
  expect(await getSnapshot(context, snapshotId)).toMatchObject({ hasGuestAgent: true });
});
