import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { asc, eq, inArray, ne } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import { firewalls } from "../../db/schema/networks";
import { vmFirewalls } from "../../db/schema/vmNetworking";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { Firewall, WriteFirewall } from "../../domain/firewall";
import { announce } from "../changes";
import type { Context } from "../context";
import { lockVm } from "../vms/power";
import type { VmRow } from "../vms/view";
import { requestNetworks, settleNetworks } from "./apply";
import { assertEnforceable } from "./driver";
import { networksPending } from "./pending";

export async function listFirewalls(context: Context): Promise<Firewall[]> {
  const rows = await context.db.select().from(firewalls).orderBy(asc(firewalls.name));
  const attached = await vmsWithFirewalls(context.db);
  const pending = await networksPending(context);
  return rows.map(({ createdAt, ...row }) => ({
    ...row,
    version: versionOf(row),
    createdAt: createdAt.toISOString(),
    vms: attached.filter(({ firewallId }) => firewallId === row.id).map(({ id, name }) => ({ id, name })),
    pending,
  }));
}

/** @throws `not_found` */
export async function getFirewall(context: Context, id: number): Promise<Firewall> {
  const found = (await listFirewalls(context)).find((firewall) => firewall.id === id);
  if (!found) throw firewallNotFound(id);
  return found;
}

/** @throws `conflict` when the name is taken, `bad_request` for rules that name firewalls that are not there */
export async function createFirewall(context: Context, input: WriteFirewall): Promise<Firewall> {
  const id = await write(context, input, async (tx) => {
    const [row] = await tx.insert(firewalls).values(input).returning();
    return row?.id ?? 0;
  });
  return getFirewall(context, id);
}

/**
 * Takes effect at once for the VMs that have it, or the answer says why not.
 * @param versions those of which the caller knows one; null: whatever is there is rewritten
 * @throws `not_found`; `changed_meanwhile` when it is none of the versions, unless it says the same already; `conflict`, `bad_request`
 */
export async function updateFirewall(
  context: Context,
  id: number,
  input: WriteFirewall,
  versions: readonly string[] | null,
): Promise<Firewall> {
  await write(context, input, async (tx) => {
    const [row] = await tx.select().from(firewalls).where(eq(firewalls.id, id)).for("update");
    if (!row) throw firewallNotFound(id);
    const isSame = isDeepStrictEqual({ name: row.name, rules: row.rules }, { name: input.name, rules: input.rules });
    if (versions !== null && !isSame && !versions.includes(versionOf(row))) {
      throw new CumulusError(
        "changed_meanwhile",
        `Somebody else has changed the firewall ${row.name} since you read it. Nothing is saved: read it again, and make your change there.`,
      );
    }
    await tx.update(firewalls).set(input).where(eq(firewalls.id, id));
    return id;
  });
  await settleNetworks(context);
  return getFirewall(context, id);
}

/** @throws `not_found`, `conflict` while VMs have it or rules of others name it */
export async function deleteFirewall(context: Context, id: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const [row] = await tx.select().from(firewalls).where(eq(firewalls.id, id)).for("update");
    if (!row) throw firewallNotFound(id);
    const names = (await vmsWithFirewalls(tx)).filter(({ firewallId }) => firewallId === id).map(({ name }) => name);
    if (names.length > 0) {
      throw new CumulusError(
        "conflict",
        `VMs have the firewall ${row.name}: ${names.join(", ")}. Take it off them first.`,
      );
    }
    const others = await tx.select().from(firewalls).where(ne(firewalls.id, id));
    const user = others.find(({ rules }) => rules.some((rule) => rule.firewalls.includes(id)));
    if (user) {
      throw new CumulusError("conflict", `A rule of the firewall ${user.name} names ${row.name}. Change that first.`);
    }
    await tx.delete(firewalls).where(eq(firewalls.id, id));
    await announce(tx, { kind: "firewall", id });
  });
}

/**
 * Gives a VM these firewalls, at once, and takes all others off it.
 * @throws `wrong_state` on a host that can't enforce them: a wall that isn't there is worse than none
 */
export async function setVmFirewalls(context: Context, vmId: number, ids: number[]): Promise<void> {
  await context.db.transaction(async (tx) => {
    const vm = await lockVm(tx, vmId);
    const before = await tx.delete(vmFirewalls).where(eq(vmFirewalls.vmId, vmId)).returning();
    await attachFirewalls(tx, vm, ids);
    await requestNetworks(tx);
    const touched = new Set([...ids, ...before.map(({ firewallId }) => firewallId)]);
    for (const id of touched) await announce(tx, { kind: "firewall", id });
    await announce(tx, { kind: "vm", id: vmId });
  });
  await settleNetworks(context);
}

/**
 * Gives a VM that has none these firewalls, in the caller's transaction.
 * @throws `bad_request` for one that isn't there; `wrong_state` on a host that can't enforce them
 */
export async function attachFirewalls(
  tx: Queryable,
  vm: Pick<VmRow, "id" | "observedLink">,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  await assertEnforceable(tx, vm);
  await assertFirewalls(
    tx,
    ids.map((id) => ({ id, field: "firewalls" })),
  );
  await tx.insert(vmFirewalls).values([...new Set(ids)].map((firewallId) => ({ vmId: vm.id, firewallId })));
}

/** Live VMs by name, once for each firewall that they have. A VM that is gone has none. */
function vmsWithFirewalls(db: Queryable) {
  return db
    .select({ firewallId: vmFirewalls.firewallId, id: vms.id, name: vms.name })
    .from(vmFirewalls)
    .innerJoin(vms, eq(vms.id, vmFirewalls.vmId))
    .orderBy(asc(vms.name));
}

async function write(context: Context, input: WriteFirewall, act: (tx: Queryable) => Promise<number>): Promise<number> {
  try {
    return await context.db.transaction(async (tx) => {
      await assertFirewalls(
        tx,
        input.rules.flatMap(({ firewalls }, index) =>
          firewalls.map((id) => ({ id, field: `rules.${index}.firewalls` })),
        ),
      );
      const id = await act(tx);
      await requestNetworks(tx);
      await announce(tx, { kind: "firewall", id });
      return id;
    });
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    const message = `A firewall named ${input.name} exists already.`;
    throw new CumulusError("conflict", message, { fields: { name: message } });
  }
}

/** @param named which firewalls a request names, and where */
async function assertFirewalls(tx: Queryable, named: readonly { id: number; field: string }[]): Promise<void> {
  if (named.length === 0) return;
  const rows = await tx
    .select({ id: firewalls.id })
    .from(firewalls)
    .where(
      inArray(
        firewalls.id,
        named.map(({ id }) => id),
      ),
    )
    .for("key share");
  const unknown = named.find(({ id }) => !rows.some((row) => row.id === id));
  if (unknown === undefined) return;
  const message = `There is no firewall ${unknown.id}.`;
  throw new CumulusError("bad_request", message, { fields: { [unknown.field]: message } });
}

/** What a firewall says, in short. */
function versionOf({ name, rules }: Pick<Firewall, "name" | "rules">): string {
  return createHash("sha256")
    .update(JSON.stringify([name, rules]))
    .digest("hex")
    .slice(0, 16);
}

function firewallNotFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no firewall ${id}.`);
}
