import { and, desc, eq, inArray, isNotNull, isNull, lt, notInArray, type SQL, sql } from "drizzle-orm";
import type { Queryable } from "../db/client";
import { operations } from "../db/schema/operations";
import { vms } from "../db/schema/vms";
import { CumulusError } from "../domain/errors";
import type { Operation, OperationKind } from "../domain/operation";
import { announce } from "./changes";
import type { Actor, Context } from "./context";

export type OperationRow = typeof operations.$inferSelect;

export const openStatuses = ["pending", "running"] as const;

/** Notes that something was asked for, or has happened, in the transaction that makes it so. */
export async function addOperation(
  db: Queryable,
  values: Pick<OperationRow, "kind" | "vmId"> & Partial<OperationRow> & { actor: string },
): Promise<OperationRow> {
  const [row] = await db.insert(operations).values(values).returning();
  if (!row) throw new CumulusError("internal", "The operation could not be written.");
  await announceOperation(db, row);
  return row;
}

/** Something that took no time: done as it is written. */
export async function addFinishedOperation(
  db: Queryable,
  values: { kind: OperationKind; vmId: number | null; actor: string; message: string },
): Promise<OperationRow> {
  const now = new Date();
  return addOperation(db, { ...values, status: "done", progress: 100, startedAt: now, finishedAt: now });
}

/** Changes of its CD-ROM drive and its interfaces: they stay wanted when a newer power request supersedes the others. */
const changeKinds: OperationKind[] = ["change-media", "change-interfaces"];

/** A new intent: what was asked of the VM before, and is not reached yet, is superseded. What it is to have stays wanted, and tasks go on. */
export function supersedeOpenOperations(db: Queryable, vmId: number): Promise<void> {
  return supersede(db, vmId, notInArray(operations.kind, changeKinds));
}

/** The VM is to be gone: what it was to have is superseded too. */
export function supersedeChanges(db: Queryable, vmId: number): Promise<void> {
  return supersede(db, vmId, inArray(operations.kind, changeKinds));
}

async function supersede(db: Queryable, vmId: number, isMeant: SQL): Promise<void> {
  const rows = await db
    .update(operations)
    .set({ status: "superseded", finishedAt: new Date(), message: "Superseded by a later request." })
    .where(
      and(
        eq(operations.vmId, vmId),
        inArray(operations.status, [...openStatuses]),
        isNull(operations.taskKind),
        isMeant,
      ),
    )
    .returning();
  for (const row of rows) await announceOperation(db, row);
}

/** Ends the open operations of a VM that ask for a generation up to the given one. */
export async function finishIntents(
  db: Queryable,
  vmId: number,
  generation: number,
  outcome: { message: string } | { error: string },
): Promise<void> {
  const rows = await db
    .update(operations)
    .set({ ...finishedValues(outcome) })
    .where(
      and(
        eq(operations.vmId, vmId),
        inArray(operations.status, [...openStatuses]),
        isNotNull(operations.generation),
        lt(operations.generation, generation + 1),
      ),
    )
    .returning();
  for (const row of rows) await announceOperation(db, row);
}

export async function finishOperation(
  db: Queryable,
  id: number,
  outcome: { message: string } | { error: string },
): Promise<void> {
  const [row] = await db
    .update(operations)
    .set(finishedValues(outcome))
    .where(and(eq(operations.id, id), inArray(operations.status, [...openStatuses])))
    .returning();
  if (row) await announceOperation(db, row);
}

/** Says how far the open intents of a VM are. */
export async function progressIntents(db: Queryable, vmId: number, progress: number, message: string): Promise<void> {
  const rows = await db
    .update(operations)
    .set({ status: "running", progress, message, startedAt: sql`coalesce(${operations.startedAt}, now())` })
    .where(
      and(
        eq(operations.vmId, vmId),
        inArray(operations.status, [...openStatuses]),
        isNotNull(operations.generation),
        sql`(${operations.progress}, ${operations.message}) is distinct from (${progress}, ${message})`,
      ),
    )
    .returning();
  for (const row of rows) await announceOperation(db, row);
}

/** Newest first. @param page the most there are to be, and the id that all are to be older than; the answer's cursor is that of the next page */
export async function listOperations(
  context: Context,
  { vmId, limit, before }: { vmId?: number | undefined; limit: number; before?: number | undefined },
): Promise<{ items: Operation[]; nextCursor: string | null }> {
  const rows = await selectOperations(context)
    .where(
      and(
        vmId === undefined ? undefined : eq(operations.vmId, vmId),
        before === undefined ? undefined : lt(operations.id, before),
      ),
    )
    .orderBy(desc(operations.id))
    .limit(limit + 1);
  const items = rows.slice(0, limit).map(toOperation);
  return { items, nextCursor: rows.length > limit ? String(items.at(-1)?.id) : null };
}

export async function getOperation(context: Context, id: number): Promise<Operation> {
  const [row] = await selectOperations(context).where(eq(operations.id, id));
  if (!row) throw new CumulusError("not_found", `There is no operation ${id}.`);
  return toOperation(row);
}

export function announceOperation(db: Queryable, row: Pick<OperationRow, "id" | "vmId">): Promise<void> {
  return announce(db, { kind: "operation", id: row.id, ...(row.vmId !== null && { vmId: row.vmId }) });
}

export function actorName(actor: Actor): string {
  return actor.kind === "token" ? `token ${actor.name}` : actor.name;
}

function finishedValues(outcome: { message: string } | { error: string }) {
  const finishedAt = new Date();
  const startedAt = sql`coalesce(${operations.startedAt}, now())`;
  return "error" in outcome
    ? { status: "failed" as const, error: outcome.error, finishedAt, startedAt }
    : { status: "done" as const, progress: 100, message: outcome.message, finishedAt, startedAt };
}

function selectOperations(context: Context) {
  return context.db
    .select({ operation: operations, vmName: vms.name })
    .from(operations)
    .leftJoin(vms, eq(vms.id, operations.vmId));
}

function toOperation({ operation, vmName }: { operation: OperationRow; vmName: string | null }): Operation {
  return {
    id: operation.id,
    kind: operation.kind,
    status: operation.status,
    progress: operation.progress,
    message: operation.message,
    error: operation.error,
    subject: operation.subject,
    transfer: operation.transfer,
    result: operation.result,
    isTask: operation.taskKind !== null,
    vm: operation.vmId !== null && vmName !== null ? { id: operation.vmId, name: vmName } : null,
    actor: operation.actor,
    createdAt: operation.createdAt.toISOString(),
    startedAt: operation.startedAt?.toISOString() ?? null,
    finishedAt: operation.finishedAt?.toISOString() ?? null,
  };
}
