import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { vms } from "../../db/schema/vms";
import { backupBed, longAgo } from "../backups/testing/backupBed";
import { systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { destroyVm } from "../vms/destroy";

const plane = testControlPlane();

test("no VM is destroyed with a snapshot from which another is yet to start", async () => {
  const bed = await backupBed(plane);
  const { db } = bed.context;
  const [parent, heir] = [await bed.runningVm("parent"), await bed.runningVm("heir")];
  const backup = await bed.addBackup(parent);
  await db.update(vms).set({ fromSnapshotId: backup.snapshotId, milestones: {} }).where(eq(vms.id, heir));
  const destroy = () => destroyVm(bed.context, systemActor, parent, { withSnapshots: true });
  await expect(destroy()).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/^heir is to start/),
  });
  expect(await bed.snapshotOf(backup)).toMatchObject({ desired: "present" });
  expect(await db.$count(vms, eq(vms.desired, "deleted"))).toBe(0);
  await db
    .update(vms)
    .set({ milestones: { disk: longAgo.toISOString() } })
    .where(eq(vms.id, heir));
  await destroy();
  expect(await bed.snapshotOf(backup)).toMatchObject({ desired: "deleted" });
});
