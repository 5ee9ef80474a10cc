import { isDeepStrictEqual } from "node:util";
import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import { backupRepositories, backups } from "../../db/schema/backups";
import { operations } from "../../db/schema/operations";
import {
  type BackupPlace,
  type BackupRepository,
  type ChangeBackupRepository,
  locationOf,
  type RepositoryAccess,
  type StoredBackup,
} from "../../domain/backup";
import { CumulusError } from "../../domain/errors";
import { announce } from "../changes";
import type { Context } from "../context";
import {
  assertFreeName,
  assertFreePlace,
  getRepositoryRow,
  listRepositories,
  lockPlaces,
  nameTaken,
  nextCopyTo,
} from "./repositories";

type RepositoryRow = typeof backupRepositories.$inferSelect;

/**
 * Changes a repository's name, or what opens it: the place to which it was moved, a key or a password that was changed there. It is opened so before anything
 * is kept. At another place it must hold all copies that are known of it, and none may be on its way to the old one.
 * @throws `not_found`; `bad_request` for what doesn't open it, naming the field; `conflict` when it is another repository or lacks copies, some are on their way, or
 * the name or the place is taken
 */
export async function changeRepository(
  context: Context,
  id: number,
  change: ChangeBackupRepository,
): Promise<BackupRepository> {
  const before = await getRepositoryRow(context.db, id);
  const { name = before.name } = change;
  const access = changedAccess(before.access, change);
  if (name !== before.name) await assertFreeName(context.db, name);
  const isOpened = !isDeepStrictEqual(access, before.access);
  if (isOpened) await assertFreePlace(context.db, access.place, id);
  const stored = isOpened
    ? new Set((await open(context, access, isMoved(before, access))).map(({ key }) => key))
    : null;
  await keep(context, before, { name, access }, stored);
  const changed = (await listRepositories(context)).find((repository) => repository.id === id);
  if (changed) return changed;
  throw new CumulusError("not_found", `There is no backup repository ${id} any more.`);
}

function changedAccess(before: RepositoryAccess, { place, password }: ChangeBackupRepository): RepositoryAccess {
  return { place: place ? changedPlace(before.place, place) : before.place, password: password ?? before.password };
}

function changedPlace(before: BackupPlace, place: NonNullable<ChangeBackupRepository["place"]>): BackupPlace {
  if (place.kind === "folder") return place;
  const bucket = before.kind === "s3" ? before : undefined;
  const { prefix = bucket?.prefix ?? "", secretAccessKey = bucket?.secretAccessKey } = place;
  if (secretAccessKey !== undefined) return { ...place, prefix, secretAccessKey };
  const message = "Give the secret key of this access key.";
  throw new CumulusError("bad_request", message, { fields: { "place.secretAccessKey": message } });
}

/**
 * That what opens so is the same repository: keys of copies are no others' anywhere. One of which no copy is known may be any. At another place all must be there
 * that are listed; those that were removed may be gone already.
 * @param stored keys of the copies that are there
 */
async function assertSame(
  tx: Queryable,
  before: RepositoryRow,
  access: RepositoryAccess,
  stored: ReadonlySet<string>,
): Promise<void> {
  const { id, name } = before;
  const rows = await tx
    .select({ copy: backups.copy, removedAt: backups.removedAt })
    .from(backups)
    .where(and(eq(backups.repositoryId, id), isNotNull(backups.copy)));
  const missing = rows.filter(({ copy }) => copy && !stored.has(copy.key));
  const listed = rows.filter(({ removedAt }) => removedAt === null);
  const isOther = rows.length > 0 && missing.length === rows.length;
  const lacking = isMoved(before, access) ? missing.filter(({ removedAt }) => removedAt === null).length : 0;
  if (!isOther && lacking === 0) return;
  const message = isOther
    ? `What is there is another repository: no backup that was copied to ${name} is in it. Move those there first, or add it as a repository of its own.`
    : `${lacking} of the ${listed.length} backups that were copied to ${name} are not there. Move those there too, or remove them from the list first.`;
  throw new CumulusError("conflict", message, { fields: { [placeField(access.place)]: message } });
}

function isMoved({ access: before }: RepositoryRow, { place }: RepositoryAccess): boolean {
  return locationOf(before.place) !== locationOf(place);
}

const placeField = ({ kind }: BackupPlace) => (kind === "s3" ? "place.prefix" : "place.path");

/** What is in it. Where a field is likely wrong, that is the request's fault. */
async function open(context: Context, access: RepositoryAccess, isNew: boolean): Promise<StoredBackup[]> {
  try {
    return await context.agent.listBackups(access, { isNew });
  } catch (error) {
    if (!(error instanceof CumulusError) || error.fields === undefined) throw error;
    throw new CumulusError("bad_request", error.message, { fields: error.fields, cause: error.cause });
  }
}

/** @param stored keys of the copies that are there; null: what opens it stays as it is */
async function keep(
  context: Context,
  before: RepositoryRow,
  values: Pick<RepositoryRow, "name" | "access">,
  stored: ReadonlySet<string> | null,
): Promise<void> {
  try {
    await context.db.transaction(async (tx) => {
      await lockPlaces(tx);
      const { id } = before;
      const [row] = await tx.select().from(backupRepositories).where(eq(backupRepositories.id, id)).for("update");
      if (!row || !isDeepStrictEqual(row.access, before.access)) {
        const message = `${before.name} was changed or forgotten by another at the same moment: look at it, and try again.`;
        throw new CumulusError("conflict", message);
      }
      await assertFreePlace(tx, values.access.place, id);
      // Now that none can be asked for: one may have ended since it was looked what is there.
      if (stored !== null) await assertSame(tx, before, values.access, stored);
      if (isMoved(before, values.access)) await assertNothingUnderWay(tx, before, values.access.place);
      await tx.update(backupRepositories).set(values).where(eq(backupRepositories.id, id));
      await announce(tx, { kind: "backup-repository", id });
    });
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    throw nameTaken(values.name);
  }
}

/** Copies are made, and removed, where the repository was when they were asked for. */
async function assertNothingUnderWay(tx: Queryable, { id, name }: RepositoryRow, place: BackupPlace): Promise<void> {
  const vmName = await nextCopyTo(tx, id);
  const removals = await tx.$count(
    operations,
    and(
      eq(operations.kind, "backup-remove"),
      isNull(operations.finishedAt),
      sql`(${operations.taskParams} ->> 'repositoryId')::int = ${id}`,
    ),
  );
  if (vmName === undefined && removals === 0) return;
  const what = vmName === undefined ? "Copies are being removed from" : `A backup of ${vmName} is on its way to`;
  const message = `${what} the present place of ${name}. Wait until that is done, or cancel it, then say where it is now.`;
  throw new CumulusError("conflict", message, { fields: { [placeField(place)]: message } });
}
