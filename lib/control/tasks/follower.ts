import { and, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { operations } from "../../db/schema/operations";
import { CumulusError } from "../../domain/errors";
import type { TaskState } from "../../domain/task";
import { failpoint } from "../../failpoints";
import type { ChangeFeed } from "../changeFeed";
import type { Context } from "../context";
import { announceOperation, type OperationRow, openStatuses } from "../operations";
import { endTask } from "./end";

/** How long one request to the agent waits for news; a cancellation is noticed within it. */
const waitMs = 1_000;
/** How long to wait before trying again what failed because the host or the database was away. */
const retryMs = 2_000;
const sweepMs = 5_000;

export interface TaskFollower {
  stop(): Promise<void>;
}

/**
 * Hands open tasks to the host's agent and writes down how they go. Woken by the announcement of an operation and by a timer. Takes nothing but
 * rows, so that any console may be killed anywhere: the agent does a task once, and of several consoles that follow it one writes its end.
 */
export function startTaskFollower(context: Context, changes: ChangeFeed): TaskFollower {
  const stopping = new AbortController();
  const followed = new Map<number, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();

  async function sweep(): Promise<void> {
    const rows = await context.db
      .select({ id: operations.id })
      .from(operations)
      .where(and(isNotNull(operations.taskKind), inArray(operations.status, [...openStatuses])));
    for (const { id } of rows) {
      if (stopping.signal.aborted || followed.has(id)) continue;
      followed.set(
        id,
        follow(context, id, stopping.signal).finally(() => followed.delete(id)),
      );
    }
  }

  function wake(): void {
    if (stopping.signal.aborted) return;
    clearTimeout(timer);
    sweeping = sweeping.then(sweep).catch((err: unknown) => context.log.warn({ err }, "could not look for tasks"));
    void sweeping.then(() => {
      if (stopping.signal.aborted) return;
      clearTimeout(timer);
      timer = setTimeout(wake, sweepMs);
    });
  }

  const unsubscribe = changes.subscribe((change) => {
    if (change.kind === "operation" && !followed.has(change.id)) wake();
  }, wake);
  wake();

  return {
    stop: async () => {
      stopping.abort();
      unsubscribe();
      clearTimeout(timer);
      await sweeping;
      await Promise.all(followed.values());
    },
  };
}

/** Follows one task to its end, or until the console stops. Never rejects: what goes wrong is tried again. */
async function follow(context: Context, id: number, stopping: AbortSignal): Promise<void> {
  let version = 0;
  while (!stopping.aborted) {
    try {
      const operation = await openTask(context, id);
      if (!operation) return;
      const state = await askAgent(context, operation, version);
      failpoint("task.asked");
      if (state.status !== "running") return await endTask(context, operation, state);
      if (state.version !== version) await noteProgress(context, operation, state);
      version = state.version;
    } catch (err) {
      context.log.warn({ err, operationId: id }, "a task can't be followed just now");
      // An agent that was away may not have it any more.
      version = 0;
      await sleep(retryMs, stopping);
    }
  }
}

async function openTask(context: Context, id: number): Promise<OperationRow | undefined> {
  const [row] = await context.db
    .select()
    .from(operations)
    .where(and(eq(operations.id, id), inArray(operations.status, [...openStatuses])));
  return row;
}

/** An agent will never take the task. */
interface Refusal {
  status: "failed";
  result: null;
  error: CumulusError;
}

/** Sees to it that the agent has the task, and waits for news. */
async function askAgent(context: Context, operation: OperationRow, version: number): Promise<TaskState | Refusal> {
  const { agent } = context;
  try {
    const begun =
      version === 0 ? await agent.putTask(operation.id, operation.taskKind ?? "", operation.taskParams) : null;
    if (operation.isCancelled) await agent.cancelTask(operation.id);
    return begun ?? (await agent.getTask(operation.id, version, waitMs));
  } catch (error) {
    if (error instanceof CumulusError && error.code === "bad_request") return { status: "failed", result: null, error };
    throw error;
  }
}

async function noteProgress(context: Context, operation: OperationRow, state: TaskState): Promise<void> {
  const progress = Math.floor(state.percent);
  const { message, transfer } = state;
  const [row] = await context.db
    .update(operations)
    .set({ status: "running", progress, message, transfer, startedAt: sql`coalesce(${operations.startedAt}, now())` })
    .where(and(eq(operations.id, operation.id), inArray(operations.status, [...openStatuses])))
    .returning();
  if (row) await announceOperation(context.db, row);
}

function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
