import { sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import type { Context } from "../context";
import { networkDriverOf } from "./driver";
import { networkStateOf } from "./state";

/** Asks the worker to bring the host's networks to what is written down, in the transaction that changed that. */
export async function requestNetworks(db: Queryable): Promise<void> {
  await db.execute(
    sql`select graphile_worker.add_job('apply-networks', job_key := 'apply-networks', max_attempts := 25)`,
  );
}

/** What is under way in this process, and what begins after it, for all who asked meanwhile. */
interface Turns {
  present: Promise<void>;
  next: Promise<void> | null;
}
const turnsOf = new WeakMap<Context, Turns>();

/**
 * Brings the host's networks, firewalls, forwards and limits to what is written down; when it resolves, what was written before the call is in effect. Many
 * that ask at once share one turn. Does nothing on a host with user-mode networks.
 */
export function applyNetworks(context: Context): Promise<void> {
  const turns = turnsOf.get(context) ?? { present: Promise.resolve(), next: null };
  turnsOf.set(context, turns);
  if (turns.next) return turns.next;
  const next = turns.present
    .catch(() => undefined)
    .then(() => {
      turns.next = null;
      turns.present = applyNow(context);
      return turns.present;
    });
  turns.next = next;
  return next;
}

/** The state is read while no other console applies one, so that an older one never comes after a newer. */
async function applyNow(context: Context): Promise<void> {
  const network = await networkDriverOf(context.db);
  if (network?.driver !== "bridge") return;
  const connection = await context.pool.connect();
  let isFree = false;
  try {
    await connection.query("select pg_advisory_lock(hashtext('apply-networks'))");
    await context.agent.applyNetworks(await networkStateOf(context.db));
    await connection.query("select pg_advisory_unlock(hashtext('apply-networks'))");
    isFree = true;
  } finally {
    connection.release(!isFree);
  }
}
