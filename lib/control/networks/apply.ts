import { setTimeout as delay } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { messageOf } from "../../domain/errors";
import { networkFingerprint } from "../../domain/networkFingerprint";
import { announce } from "../changes";
import type { Context } from "../context";
import { networkDriverOf } from "./driver";
import { networkStateOf } from "./state";

/** How long a change may take to be in effect before it is answered that it isn't yet. */
const settleMs = 8_000;

/**
 * Asks the worker to bring the host's networks to what is written down, in the transaction that changed that. It has nothing left to do where whoever changed
 * it has waited for that (`settleNetworks`).
 */
export async function requestNetworks(db: Queryable): Promise<void> {
  await addJob(db, "apply-networks");
}

/** Asks the worker to tell the host of its networks whether or not it has them, so that drift is mended. */
export async function requestNetworksAnew(db: Queryable): Promise<void> {
  await addJob(db, "renew-networks");
}

async function addJob(db: Queryable, task: "apply-networks" | "renew-networks"): Promise<void> {
  await db.execute(sql`select graphile_worker.add_job(${task}, job_key := ${task}, max_attempts := 25)`);
}

/** What is under way in this process, and what begins after it, for all who asked meanwhile. */
interface Turns {
  present: Promise<void>;
  next: { done: Promise<void>; isAnew: boolean } | null;
}
const turnsOf = new WeakMap<Context, Turns>();

/**
 * Brings the host's networks, firewalls, forwards and limits to what is written down; when it resolves, what was written before the call is in effect. Many
 * that ask at once share one turn. Of it, a host with user-mode networks has the forwards on its loopback alone.
 */
export function applyNetworks(context: Context): Promise<void> {
  return inTurn(context, true);
}

/** The same, except that the host is not told again of what it has put into effect by itself or for another who asked. */
export function applyChangedNetworks(context: Context): Promise<void> {
  return inTurn(context, false);
}

function inTurn(context: Context, isAnew: boolean): Promise<void> {
  const turns = turnsOf.get(context) ?? { present: Promise.resolve(), next: null };
  turnsOf.set(context, turns);
  if (turns.next) {
    turns.next.isAnew ||= isAnew;
    return turns.next.done;
  }
  const next = { isAnew, done: turns.present.catch(() => undefined).then(begin) };
  turns.next = next;
  return next.done;

  function begin(): Promise<void> {
    turns.next = null;
    turns.present = applyNow(context, next.isAnew);
    return turns.present;
  }
}

/**
 * Has what was just written put into effect, as far as that takes no longer than a few seconds; the worker goes on trying. Whether it is in effect tells
 * `networksPending` (./pending.ts).
 */
export async function settleNetworks(context: Context): Promise<void> {
  const applied = applyChangedNetworks(context).catch((err) => {
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

/** No other console tells the host meanwhile, so that an older state never comes after a newer. */
async function applyNow(context: Context, isAnew: boolean): Promise<void> {
  const connection = await context.pool.connect();
  let isFree = false;
  try {
    await connection.query("select pg_advisory_lock(hashtext('apply-networks'))");
    await tellHost(context, isAnew);
    failureOf.delete(context);
    await connection.query("select pg_advisory_unlock(hashtext('apply-networks'))");
    isFree = true;
  } finally {
    connection.release(!isFree);
  }
}

/** @param isAnew also of what is in effect */
async function tellHost(context: Context, isAnew: boolean): Promise<void> {
  const network = await networkDriverOf(context.db);
  // What it can have is not known until it has reported.
  if (network === null) return;
  const state = await networkStateOf(context.db, network.driver, context.settings.port);
  const fingerprint = networkFingerprint(state);
  const isInEffect = network.applied === fingerprint;
  if (isInEffect && !isAnew) return;
  // What it has is not known until it answers, and stays so when it never does.
  if (!isInEffect) await noteApplied(context.db, null);
  await context.agent.applyNetworks(state);
  await context.db.transaction(async (tx) => {
    const row = await noteApplied(tx, fingerprint);
    if (row) await announce(tx, { kind: "host", id: row.id });
  });
}

/** Writes down what is in effect, without waiting for the host's next report. @returns the host when that is news */
async function noteApplied(db: Queryable, applied: string | null): Promise<{ id: number } | undefined> {
  const report = sql`jsonb_set(${hosts.report}, '{network,applied}', ${JSON.stringify(applied)}::jsonb)`;
  const isNews = sql`${hosts.report} #>> '{network,applied}' is distinct from ${applied}`;
  const [row] = await db.update(hosts).set({ report }).where(isNews).returning({ id: hosts.id });
  return row;
}
