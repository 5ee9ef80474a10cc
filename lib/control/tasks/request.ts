import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import { CumulusError } from "../../domain/errors";
import type { Operation, OperationKind } from "../../domain/operation";
import type { Context } from "../context";
import { addOperation, announceOperation, getOperation, type OperationRow, openStatuses } from "../operations";

export interface TaskRequest {
  kind: OperationKind;
  /** The name under which the host's agent knows this work (lib/agent/tasks/kinds.ts). */
  taskKind: string;
  params: Record<string, unknown>;
  /** Whom it is for: shown on the Activity page. */
  actor: string;
  vmId?: number;
  subject?: string;
  /** While an operation with this key is open, asking again finds that one: also one that is being cancelled, unless it `standsAlone`. */
  dedupKey?: string;
  /** Whether another one may begin while one that was cancelled is being cleaned up after. */
  standsAlone?: boolean;
}

/**
 * Writes down that a host's agent is to do a long piece of work. The row is the order: the follower (lib/control/tasks/follower.ts) hands it over, and
 * tells how it goes.
 * @param tx a transaction: two who ask with the same key wait for each other until its end
 */
export async function requestTask(tx: Queryable, request: TaskRequest): Promise<OperationRow> {
  const { kind, taskKind, params, actor, subject = null, dedupKey = null, vmId = null, standsAlone = false } = request;
  if (dedupKey !== null) {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`task:${dedupKey}`}))`);
    const [open] = await tx
      .select()
      .from(operations)
      .where(and(eq(operations.dedupKey, dedupKey), inArray(operations.status, [...openStatuses])));
    if (open && !(standsAlone && open.isCancelled)) return open;
    if (open) await tx.update(operations).set({ dedupKey: null }).where(eq(operations.id, open.id));
  }
  return addOperation(tx, { kind, vmId, actor, subject, taskKind, taskParams: params, dedupKey });
}

/**
 * Asks an open task to end; it is `cancelled` when the host has cleaned up after it.
 * @throws `not_found`; `wrong_state` for what is no task or has ended
 */
export async function cancelOperation(context: Context, id: number): Promise<Operation> {
  const present = await getOperation(context, id);
  if (!present.isTask) {
    throw new CumulusError(
      "wrong_state",
      "Only long work of a host can be cancelled: ask the VM for something else instead.",
    );
  }
  const [row] = await context.db
    .update(operations)
    .set({ isCancelled: true })
    .where(and(eq(operations.id, id), inArray(operations.status, [...openStatuses])))
    .returning();
  if (!row) throw new CumulusError("wrong_state", "It has ended already.", { allowed: [...openStatuses] });
  await announceOperation(context.db, row);
  return getOperation(context, id);
}
