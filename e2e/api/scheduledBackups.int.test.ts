import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectionConfig } from "../../lib/db/client";
import type { Backup, BackupRepository, StoredBackup } from "../../lib/domain/backup";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack, until } from "../stack";

/** The clock strikes each minute; a host that is busy may be late. */
const twoStrikesMs = 180_000;
/** In which restic reads a copy back, also where others have the processor. */
const restoreMs = 120_000;
const missedAt = "2026-01-01T02:00:00.000Z";

let stack: Stack;
let folder: string;

beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  folder = mkdtempSync(join(tmpdir(), "backups-"));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("runs that were missed while the console was off are caught up once, by its own clock, and become a VM again", async () => {
  const create = { name: "sleeper", image: "mini", size: "nano" };
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", create);
  const ask = { name: "Other disk", password: "correct horse", place: { kind: "folder", path: folder } };
  const { body: repository } = await stack.api<BackupRepository>("POST", "/api/backup-repositories", ask);
  // Nothing but what was missed is due while this runs.
  const later = new Date(Date.now() + 30 * 60_000);
  const hourly = { minute: later.getUTCMinutes(), keep: 9 };
  const daily = { time: later.toISOString().slice(11, 16), keep: 9 };
  const policy = { timeZone: "UTC", hourly, daily, weekly: null, repository: repository.id };
  expect((await stack.api("PUT", `/api/vms/${vm.id}/backup-policy`, policy)).status).toBe(200);
  const listBackups = async () => (await stack.api<{ items: Backup[] }>("GET", `/api/vms/${vm.id}/backups`)).body.items;
  expect(await listBackups()).toEqual([]);

  await stack.kill("console");
  await missRuns(vm.id);
  await stack.startConsole();
  // Nobody asks for a backup, and no job is put into the queue but by the clock.
  await until(
    "the runs that were missed are made and copied",
    async () => {
      const present = await listBackups();
      const failed = present.find(({ error }) => error !== null);
      if (failed) throw new Error(failed.error ?? "");
      return present.length > 0 && present.every(({ status }) => status === "done");
    },
    twoStrikesMs,
  );

  // Months were missed of both, and each is made once.
  const made = (await listBackups()).map(({ tier, dueAt }) => ({ tier, dueAt }));
  expect(made.toSorted((a, b) => a.tier.localeCompare(b.tier))).toEqual([
    { tier: "daily", dueAt: missedAt },
    { tier: "hourly", dueAt: missedAt },
  ]);
  const { body: kept } = await stack.api<{ nextAt: string }>("GET", `/api/vms/${vm.id}/backup-policy`);
  expect(Date.parse(kept.nextAt)).toBeGreaterThan(Date.now());
  await restore(repository.id);
}, 400_000);

/** As if the installation had been off since then. Done while it is. */
async function missRuns(vmId: number): Promise<void> {
  const database = new pg.Client(connectionConfig(stack.settings));
  await database.connect();
  try {
    await database.query("select graphile_worker.remove_job('advance-backups')");
    await database.query("update backup_policies set hourly_at = $1, daily_at = $1 where vm_id = $2", [missedAt, vmId]);
  } finally {
    await database.end();
  }
}

async function restore(repositoryId: number): Promise<void> {
  const url = `/api/backup-repositories/${repositoryId}`;
  const { body: stored } = await stack.api<{ items: StoredBackup[] }>("GET", `${url}/backups`);
  expect(stored.items.map(({ vmName }) => vmName)).toEqual(["sleeper", "sleeper"]);
  const heir = { backup: stored.items[0]?.key, name: "heir" };
  let { body: operation } = await stack.api<Operation>("POST", `${url}/restore`, heir);
  const isRestored = async () => {
    operation = (await stack.api<Operation>("GET", `/api/operations/${operation.id}`)).body;
    return operation.finishedAt !== null;
  };
  await until("the backup is restored", isRestored, restoreMs);
  expect(operation).toMatchObject({ status: "done", error: null, result: { vmId: expect.any(Number) } });
  expect((await stack.api<Vm>("GET", `/api/vms/${operation.result?.vmId}`)).body.name).toBe("heir");
}
