import { createHash } from "node:crypto";
import { and, eq, sql } from "drizzle-orm";
import type { Queryable } from "../db/client";
import { idempotencyKeys } from "../db/schema/api";
import { CumulusError } from "../domain/errors";
import { failpoint } from "../failpoints";
import type { Actor, Context } from "./context";
import { actorName } from "./operations";
import { inTurn } from "./turns";

interface OnceRequest {
  actor: Actor;
  /** The client's Idempotency-Key; null when it gave none. */
  key: string | null;
  /** All that tells this request from others: method and path by any name, and the body. */
  request: unknown;
  /** What it makes: a VM, a backup, or an operation that makes something. */
  makes: "vmId" | "operationId" | "backupId";
}

/**
 * Carries out a request that makes something, in one transaction, once for each key.
 * @param make returns the id of what it made
 * @returns the id of what was made, also when an earlier request with the same key made it
 * @throws `conflict` when the key was used for another request
 */
export async function makeOnce(
  context: Context,
  { actor, key, request, makes }: OnceRequest,
  make: (tx: Queryable) => Promise<number>,
): Promise<number> {
  const run = async (tx: Queryable) => {
    const requestHash = createHash("sha256")
      .update(JSON.stringify([makes, request]))
      .digest("hex");
    const earlier = key === null ? undefined : await findEarlier(tx, actorName(actor), key, requestHash);
    if (earlier) return earlier;
    const made = await make(tx);
    if (key !== null) {
      await tx.insert(idempotencyKeys).values({ actor: actorName(actor), key, requestHash, [makes]: made });
    }
    failpoint("create.before-commit");
    return made;
  };
  return inTurn(context, () => context.db.transaction(run));
}

/** The lock makes a parallel request with the same key wait for the first. */
async function findEarlier(tx: Queryable, actor: string, key: string, hash: string): Promise<number | undefined> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`idempotency:${actor}:${key}`}))`);
  const [earlier] = await tx
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.actor, actor), eq(idempotencyKeys.key, key)));
  if (earlier && earlier.requestHash !== hash) {
    throw new CumulusError("conflict", "This Idempotency-Key was used for another request. Take a new one.");
  }
  return earlier?.vmId ?? earlier?.operationId ?? earlier?.backupId ?? undefined;
}
