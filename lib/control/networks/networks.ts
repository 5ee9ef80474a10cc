import { asc, eq, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { violatedUnique } from "../../db/errors";
import { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import { defaultGatewayOf } from "../../domain/ipv4";
import type { CreateNetwork, Network, NetworkRemoval, UpdateNetwork } from "../../domain/network";
import { announce } from "../changes";
import type { Context } from "../context";
import { countFree, type NetworkRow } from "./addresses";
import { requestNetworks, settleNetworks } from "./apply";
import { networkDriverOf } from "./driver";
import { defaultDomainOf, refuseDomain, refused, refuseOccupied, refuseOverlap, vmsIn, wrong } from "./networkChecks";
import { networksPending } from "./pending";
import { remakeNetwork, uniqueLocalCidr } from "./remakeNetwork";
import { refuseBeyondUserMode, refuseUnfeltWayOut, whoStillReachesOut, whyNotAll } from "./userMode";

export async function listNetworks(context: Context): Promise<Network[]> {
  return select(context, undefined);
}

/** @throws `not_found` */
export async function getNetwork(context: Context, id: number): Promise<Network> {
  const [network] = await select(context, id);
  if (!network) throw networkNotFound(id);
  return network;
}

/** @throws `not_found` */
export async function getNetworkRow(db: Queryable, id: number): Promise<NetworkRow> {
  const [row] = await db.select().from(networks).where(eq(networks.id, id));
  if (!row) throw networkNotFound(id);
  return row;
}

/**
 * A network by name, which stays as long as the transaction goes on: for what is to be in it.
 * @throws `bad_request` when there is none
 */
export async function holdNetwork(tx: Queryable, name: string): Promise<NetworkRow> {
  const row = await holdNetworkIfAny(tx, name);
  if (row) return row;
  const message = `There is no network ${name}.`;
  throw new CumulusError("bad_request", message, { fields: { network: message } });
}

/** The same where there may be none. */
export async function holdNetworkIfAny(tx: Queryable, name: string): Promise<NetworkRow | undefined> {
  const [row] = await tx.select().from(networks).where(eq(networks.name, name)).for("key share");
  return row;
}

/** A network by its id, which stays as it is as long as the transaction goes on. @throws `not_found` */
export async function holdNetworkById(tx: Queryable, id: number): Promise<NetworkRow> {
  const [row] = await tx.select().from(networks).where(eq(networks.id, id)).for("key share");
  if (!row) throw networkNotFound(id);
  return row;
}

/**
 * @throws `conflict` for a name or a domain that is taken, a range that another network or a route of the host overlaps, or what the host's networks can't
 * have; `bad_request`
 */
export async function createNetwork(context: Context, input: CreateNetwork): Promise<Network> {
  const { name, description = "", cidr, outside = "nat", reaches = [], dnsServers = [], range, ipv6 = false } = input;
  const { gateway = defaultGatewayOf(cidr), domain = defaultDomainOf(name) } = input;
  const host = await context.agent.networkStatus();
  refuseOccupied(host, cidr);
  refuseBeyondUserMode(host, { outside, reaches, dnsServers, hasIpv6: ipv6 });
  const id = await withNameTaken(name, () =>
    context.db.transaction(async (tx) => {
      // Two that are made at once must not overlap either.
      await lockNetworks(tx);
      await refuseOverlap(tx, cidr);
      await refuseDomain(tx, input.domain === undefined ? "name" : "domain", domain);
      await assertNetworks(tx, reaches);
      const [row] = await tx
        .insert(networks)
        .values({
          name,
          description,
          cidr,
          gateway,
          domain,
          outside,
          reaches,
          dnsServers,
          ipv6Cidr: ipv6 ? uniqueLocalCidr() : null,
          rangeFirst: range?.first ?? null,
          rangeLast: range?.last ?? null,
        })
        .returning();
      if (!row) throw new CumulusError("internal", "The network could not be written.");
      await changed(tx, row.id);
      return row.id;
    }),
  );
  await settleNetworks(context);
  return getNetwork(context, id);
}

/**
 * @throws `not_found`; `conflict` when the name is taken, VMs have addresses outside of the new range, something is in the network that is to have another
 * `cidr`, `gateway` or `domain` or no IPv6 (./remakeNetwork.ts), or the host's networks can't have what is new; `bad_request`
 */
export async function updateNetwork(context: Context, id: number, input: UpdateNetwork): Promise<Network> {
  const isAskedToMove = input.cidr !== undefined && input.cidr !== (await getNetworkRow(context.db, id)).cidr;
  const host = isAskedToMove ? await context.agent.networkStatus() : undefined;
  await withNameTaken(input.name ?? "", () =>
    context.db.transaction(async (tx) => {
      await lockNetworks(tx);
      // No VM is given an address meanwhile.
      const [row] = await tx.select().from(networks).where(eq(networks.id, id)).for("update");
      if (!row) throw networkNotFound(id);
      if (row.name === "default" && input.name !== undefined && input.name !== "default") {
        throw refused("name", "The network default keeps its name: VMs that name none are put into it.");
      }
      await assertNetworks(tx, input.reaches ?? []);
      if (newWishes(row, input).reaches?.includes(id)) {
        throw wrong("reaches", `Leave out ${row.name} itself: its VMs may connect to each other in any case.`);
      }
      const { range: _range, ipv6: _ipv6, ...plain } = input;
      const network = await networkDriverOf(tx);
      if (network) {
        refuseBeyondUserMode(network, newWishes(row, input));
        await refuseUnfeltWayOut(tx, network.driver, row, input.outside);
      }
      const values = {
        ...plain,
        ...(await remakeNetwork(tx, row, input, host)),
      };
      if (Object.keys(values).length > 0) await tx.update(networks).set(values).where(eq(networks.id, id));
      await changed(tx, id);
    }),
  );
  await settleNetworks(context);
  return getNetwork(context, id);
}

/** Takes a network away from the host as well, or the answer says why not yet. @throws `not_found`, `conflict` while VMs are in it */
export async function deleteNetwork(context: Context, id: number): Promise<NetworkRemoval> {
  await context.db.transaction(async (tx) => {
    await lockNetworks(tx);
    const [row] = await tx.select().from(networks).where(eq(networks.id, id)).for("update");
    if (!row) throw networkNotFound(id);
    if (row.name === "default") {
      throw new CumulusError("conflict", "The network default stays: VMs that name none are put into it.");
    }
    const inside = await vmsIn(tx, id);
    if (inside.length > 0) {
      const names = inside.map(({ name }) => name).join(", ");
      throw new CumulusError(
        "conflict",
        `VMs are in ${row.name}: ${names}. Destroy them or unplug their interfaces first.`,
      );
    }
    // Rows of VMs that are gone refer to it: they keep their numbers, and go with it.
    const [gone] = await tx.select({ id: vms.id }).from(vms).where(eq(vms.networkId, id)).limit(1);
    if (gone)
      await tx
        .update(vms)
        .set({ networkId: await defaultNetworkId(tx) })
        .where(eq(vms.networkId, id));
    await tx.update(networks).set({
      reaches: sql`coalesce((select jsonb_agg(one) from jsonb_array_elements(${networks.reaches}) one where one <> to_jsonb(${id}::int)), '[]')`,
    });
    await tx.delete(networks).where(eq(networks.id, id));
    await changed(tx, id);
  });
  await settleNetworks(context);
  return { pending: await networksPending(context) };
}

async function select(context: Context, id: number | undefined): Promise<Network[]> {
  const driver = (await networkDriverOf(context.db))?.driver ?? "user";
  const pending = await networksPending(context);
  const rows = await context.db
    .select()
    .from(networks)
    .where(id === undefined ? undefined : eq(networks.id, id))
    .orderBy(asc(networks.name));
  return Promise.all(
    rows.map(async (row) => {
      const { rangeFirst, rangeLast, ...shown } = row;
      return {
        ...shown,
        range: rangeFirst !== null && rangeLast !== null ? { first: rangeFirst, last: rangeLast } : null,
        driver,
        whyNot: [whyNotAll(driver, row), await whoStillReachesOut(context.db, row)].filter(Boolean).join(" ") || null,
        pending,
        vmCount: (await vmsIn(context.db, row.id)).length,
        freeCount: await countFree(context.db, row),
      };
    }),
  );
}

async function defaultNetworkId(db: Queryable): Promise<number> {
  const [row] = await db.select({ id: networks.id }).from(networks).where(eq(networks.name, "default"));
  if (!row) throw new CumulusError("internal", "There is no network default.");
  return row.id;
}

/** As long as the transaction goes on, no other makes or changes a network. */
async function lockNetworks(tx: Queryable): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('networks'))`);
}

/** What is asked for that the network didn't have: one from before a rule stays as long as it isn't touched. */
function newWishes(row: NetworkRow, { outside, reaches, dnsServers, ipv6 }: UpdateNetwork) {
  return {
    outside: outside === row.outside ? undefined : outside,
    reaches: reaches?.filter((id) => !row.reaches.includes(id)),
    dnsServers: dnsServers?.filter((server) => !row.dnsServers.includes(server)),
    hasIpv6: ipv6 && row.ipv6Cidr === null,
  };
}

async function assertNetworks(db: Queryable, ids: number[]): Promise<void> {
  const known = new Set((await db.select({ id: networks.id }).from(networks)).map(({ id }) => id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown === undefined) return;
  throw wrong("reaches", `There is no network ${unknown}.`);
}

async function changed(tx: Queryable, id: number): Promise<void> {
  await requestNetworks(tx);
  await announce(tx, { kind: "network", id });
}

async function withNameTaken<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedUnique(error) === undefined) throw error;
    throw refused("name", `A network named ${name} exists already.`);
  }
}

function networkNotFound(id: number): CumulusError {
  return new CumulusError("not_found", `There is no network ${id}.`);
}
