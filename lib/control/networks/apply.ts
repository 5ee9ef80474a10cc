import { setTimeout as delay } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { messageOf } from "../../domain/errors";
import type { NetworkState } from "../../domain/hostNetwork";
import { networkFingerprint } from "../../domain/networkFingerprint";
import { announce } from "../changes";
import type { Context } from "../context";
import { networkDriverOf } from "./driver";
import { networkStateOf } from "./state";

/** How long a change may take to be in effect before it is answered that it isn't yet. */
const settleMs = 8_000;

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
 * that ask at once share one turn. Of it, a host with user-mode networks has the forwards on its loopback alone.
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

/**
 * Has what was just written put into effect, as far as that takes no longer than a few seconds; the worker goes on trying. Whether it is in effect tells
 * `networksPending` (./pending.ts).
 */
export async function settleNetworks(context: Context): Promise<void> {
  const applied = applyNetworks(context).catch((err) => {
    failureOf.set(context, messageOf(err));
    context.log.warn({ err }, "the host could not be told of its networks");
  });
  await Promise.race([applied, delay(settleMs, undefined, { ref: false })]);
}

/** Why the host could not be told when somebody waited for it last; null when it could. */
export function lastFailure(context: Context): string | null {
  return failureOf.get(context) ?? null;
}
const failureOf = new WeakMap<Context, string>();

/** The state is read while no other console applies one, so that an older one never comes after a newer. */
async function applyNow(context: Context): Promise<void> {
  // What it can have is not known until it has reported.
  const network = await networkDriverOf(context.db);
  if (network === null) return;
  const connection = await context.pool.connect();
  let isFree = false;
  try {
    await connection.query("select pg_advisory_lock(hashtext('apply-networks'))");
    const state = await networkStateOf(context.db, network.driver);
    await context.agent.applyNetworks(state);
    failureOf.delete(context);
    await noteApplied(context, state);
    await connection.query("select pg_advisory_unlock(hashtext('apply-networks'))");
    isFree = true;
  } finally {
    connection.release(!isFree);
  }
}

/** Writes down what is in effect, without waiting for the host's next report. */
async function noteApplied({ db }: Context, state: NetworkState): Promise<void> {
  const applied = networkFingerprint(state);
  const report = sql`jsonb_set(${hosts.report}, '{network,applied}', to_jsonb(${applied}::text))`;
  await db.transaction(async (tx) => {
    const news = sql`${hosts.report} #>> '{network,applied}' is distinct from ${applied}`;
    const [row] = await tx.update(hosts).set({ report }).where(news).returning({ id: hosts.id });
    if (row) await announce(tx, { kind: "host", id: row.id });
  });
}
