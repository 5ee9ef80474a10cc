import { and, asc, eq, isNull, ne, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import { backupPolicies, backupRepositories, backups } from "../../db/schema/backups";
import { vms } from "../../db/schema/vms";
import {
  type BackupPlace,
  type BackupRepository,
  type CreateBackupRepository,
  locationOf,
  type RepositoryAccess,
  type StoredBackup,
} from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import type { Context } from "../context";
import { forgetCopies } from "./forgetCopies";

type RepositoryRow = typeof backupRepositories.$inferSelect;

export async function listRepositories(context: Pick<Context, "db">): Promise<BackupRepository[]> {
  const rows = await context.db.select().from(backupRepositories).orderBy(asc(backupRepositories.name));
  const policies = await livePolicies(context.db);
  return rows.map((row) => toRepository(row, policies.filter(({ id }) => id === row.id).length));
}

/**
 * Opens a place for copies, making the repository where there is none, and takes note of it.
 * @throws `bad_request` for a place that can't be one or a password that doesn't open it, `conflict` when the name or the place is taken
 */
export async function createRepository(context: Context, input: CreateBackupRepository): Promise<BackupRepository> {
  const { name, place, password } = input;
  await assertFreeName(context.db, name);
  await assertFreePlace(context.db, place);
  await context.agent.makeRepository({ place, password });
  try {
    return await context.db.transaction(async (tx) => {
      // Another may have added it since.
      await lockPlaces(tx);
      await assertFreePlace(tx, place);
      const [row] = await tx.insert(backupRepositories).values({ name, access: { place, password } }).returning();
      if (!row) throw new CumulusError("internal", "The repository could not be written.");
      await announce(tx, { kind: "backup-repository", id: row.id });
      return toRepository(row, 0);
    });
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    throw nameTaken(name);
  }
}

/** Forgets a repository; what is in it stays where it is, and backups that were nothing else are none any more. @throws `conflict` while policies copy to it, or a backup is on its way to it */
export async function forgetRepository(context: Context, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    // Before it is looked who uses it: who is about to, holds it.
    await tx.select().from(backupRepositories).where(eq(backupRepositories.id, id)).for("update");
    const row = await getRepositoryRow(tx, id);
    if ((await livePolicies(tx)).some((policy) => policy.id === id)) {
      throw new CumulusError("conflict", `VMs are backed up to ${row.name}: change their backup policies first.`);
    }
    const vmName = await nextCopyTo(tx, id);
    if (vmName !== undefined) {
      const message = `A backup of ${vmName} is on its way to ${row.name}. Wait until it is there, or cancel it.`;
      throw new CumulusError("conflict", message);
    }
    await forgetCopies(tx, eq(backups.repositoryId, id));
    await tx.update(backups).set({ repositoryId: null }).where(eq(backups.repositoryId, id));
    await tx.delete(backupRepositories).where(eq(backupRepositories.id, id));
    await announce(tx, { kind: "backup-repository", id });
  });
}

/** The name of a VM whose backup is on its way to a repository. */
export async function nextCopyTo(tx: Queryable, id: number): Promise<string | undefined> {
  const [coming] = await tx
    .select({ vmName: vms.name })
    .from(backups)
    .innerJoin(vms, eq(vms.id, backups.vmId))
    .where(and(eq(backups.repositoryId, id), isNull(backups.removedAt), isNull(backups.error), isNull(backups.copy)))
    .limit(1);
  return coming?.vmName;
}

/** What is in a repository, as the repository itself says: also of other installations. */
export async function listStoredBackups(context: Context, id: number): Promise<StoredBackup[]> {
  const { access } = await getRepositoryRow(context.db, id);
  return context.agent.listBackups(access);
}

export async function getRepositoryRow(db: Queryable, id: number): Promise<RepositoryRow> {
  const [row] = await db.select().from(backupRepositories).where(eq(backupRepositories.id, id));
  if (!row) throw new CumulusError("not_found", `There is no backup repository ${id}.`);
  return row;
}

/** What opens a repository, which can't be forgotten before the transaction ends. @throws `bad_request` naming the field when there is no such repository */
export async function accessOf(tx: Queryable, id: number, field: string): Promise<RepositoryAccess> {
  const [row] = await tx.select().from(backupRepositories).where(eq(backupRepositories.id, id)).for("key share");
  if (row) return row.access;
  const message = `There is no backup repository ${id}.`;
  throw new CumulusError("bad_request", message, { fields: { [field]: message } });
}

/** By policy, where it copies to. Of VMs that are destroyed none counts: nobody could change it. */
async function livePolicies(db: Queryable): Promise<{ id: number | null }[]> {
  return db
    .select({ id: sql<number | null>`(${backupPolicies.policy} ->> 'repository')::int` })
    .from(backupPolicies)
    .innerJoin(vms, eq(vms.id, backupPolicies.vmId))
    .where(ne(vms.desired, "deleted"));
}

/** Of those who add repositories, or change where one is, one looks at a time, until the transaction ends. */
export async function lockPlaces(tx: Queryable): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('backup-repositories'))`);
}

/** @throws `conflict` */
export async function assertFreeName(db: Queryable, name: string): Promise<void> {
  const [taken] = await db.select().from(backupRepositories).where(eq(backupRepositories.name, name));
  if (taken) throw nameTaken(name);
}

/** @param except the repository that may be there @throws `conflict` */
export async function assertFreePlace(db: Queryable, place: BackupPlace, except?: number): Promise<void> {
  const rows = await db.select().from(backupRepositories);
  const present = rows.find(({ id, access }) => id !== except && locationOf(access.place) === locationOf(place));
  if (!present) return;
  const message = `The backup repository ${present.name} is there already.`;
  throw new CumulusError("conflict", message, {
    fields: { [place.kind === "s3" ? "place.prefix" : "place.path"]: message },
  });
}

export function nameTaken(name: string): CumulusError {
  return new CumulusError("conflict", `A backup repository named ${name} exists already.`, {
    fields: { name: "This name is taken." },
  });
}

function toRepository({ id, name, access, createdAt }: RepositoryRow, policyCount: number): BackupRepository {
  const { kind } = access.place;
  const location = locationOf(access.place);
  return { id, name, kind, place: shownPlace(access.place), location, policyCount, createdAt: createdAt.toISOString() };
}

/** Without what nobody is told. */
function shownPlace(place: BackupPlace): BackupRepository["place"] {
  if (place.kind === "folder") return { kind: place.kind, path: place.path };
  const { kind, endpoint, bucket, prefix, accessKeyId } = place;
  return { kind, endpoint, bucket, prefix, accessKeyId };
}
