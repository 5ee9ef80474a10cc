import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { backupBed, copied } from "../../control/backups/testing/backupBed";
import { systemActor } from "../../control/context";
import { deleteSnapshot } from "../../control/snapshots/remove";
import { testControlPlane } from "../../control/testControlPlane";
import { snapshots } from "../../db/schema/vms";
import { gatherDatabase } from "./database";

const plane = testControlPlane();

test("snapshots are gathered with whether anything is done to them, and backups that wait for one that is gone", async () => {
  const { context, runningVm, addBackup } = await backupBed(plane);
  const vmId = await runningVm("subject");
  const day = (date: number) => ({ dueAt: new Date(Date.UTC(2026, 0, date)) });
  const kept = await addBackup(vmId, day(1));
  const going = await addBackup(vmId, day(2));
  const gone = [
    await addBackup(vmId, day(3)),
    await addBackup(vmId, { ...day(4), error: "It was not copied." }),
    await addBackup(vmId, { ...day(5), copy: copied }),
    await addBackup(vmId, { ...day(6), removedAt: new Date() }),
  ];
  await deleteSnapshot(context, systemActor, going.snapshotId ?? 0);
  const deletedAt = new Date("2026-02-01T00:00:00Z");
  for (const { snapshotId } of gone) {
    await context.db
      .update(snapshots)
      .set({ desired: "deleted", deletedAt })
      .where(eq(snapshots.id, snapshotId ?? 0));
  }

  const { snapshotRows, strandedBackups } = await gatherDatabase(plane.pool, context.settings.port);

  expect(snapshotRows.sort((a, b) => a.id - b.id)).toEqual([
    { id: kept.snapshotId, name: expect.any(String), vmName: "subject", isUnderWay: false },
    { id: going.snapshotId, name: expect.any(String), vmName: "subject", isUnderWay: true },
  ]);
  expect(strandedBackups).toEqual([
    { id: gone[0]?.id, vmName: "subject", snapshotId: gone[0]?.snapshotId, snapshotDeletedAtMs: deletedAt.getTime() },
  ]);
});
