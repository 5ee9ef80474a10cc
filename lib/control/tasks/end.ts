import { and, eq, inArray, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { operations } from "../../db/schema/operations";
import type { TaskState } from "../../domain/task";
import { failpoint } from "../../failpoints";
import type { Context } from "../context";
import { requestConverge } from "../jobs";
import { announceOperation, type OperationRow, openStatuses } from "../operations";
import { taskEffects } from "./effects";

type End = Pick<TaskState, "status" | "result"> & { error: { message: string } | null };

/** Writes down how a task ended, and what that changes, in one transaction and once. */
export async function endTask(context: Context, operation: OperationRow, end: End): Promise<void> {
  if (end.status !== "done") await taskEffects[operation.kind]?.beforeFailed?.(context, operation);
  await context.db.transaction(async (tx) => {
    const [open] = await tx
      .select()
      .from(operations)
      .where(and(eq(operations.id, operation.id), inArray(operations.status, [...openStatuses])))
      .for("update");
    if (!open) return;
    const values = await valuesOfEnd(context, tx, open, end);
    failpoint("task.before-end");
    const finishedAt = new Date();
    const [row] = await tx
      .update(operations)
      .set({
        ...values,
        transfer: null,
        // They may hold secrets, and nobody needs them any more.
        taskParams: null,
        finishedAt,
        startedAt: sql`coalesce(${operations.startedAt}, now())`,
      })
      .where(eq(operations.id, open.id))
      .returning();
    if (row) await announceOperation(tx, row);
    if (open.vmId !== null) await requestConverge(tx, open.vmId);
  });
  failpoint("task.ended");
}

async function valuesOfEnd(context: Context, tx: Queryable, operation: OperationRow, end: End) {
  const effects = taskEffects[operation.kind];
  if (end.status === "done") {
    const outcome = (await effects?.onDone(context, tx, operation, end.result)) ?? { message: "Done.", result: null };
    return { status: outcome.error === undefined ? ("done" as const) : ("failed" as const), progress: 100, ...outcome };
  }
  const isCancelled = end.status === "cancelled";
  const reason = isCancelled ? "Cancelled." : (end.error?.message ?? "It failed without a reason.");
  const addition = await effects?.onFailed?.(context, tx, operation, reason);
  const words = addition === undefined ? reason : `${reason} ${addition}`;
  return isCancelled ? { status: "cancelled" as const, message: words } : { status: "failed" as const, error: words };
}
