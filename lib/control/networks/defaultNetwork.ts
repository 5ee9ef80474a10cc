import { eq, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { addresses } from "../../db/schema/vmNetworking";
import { CumulusError } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import { defaultGatewayOf, overlaps } from "../../domain/ipv4";
import { announce } from "../changes";
import type { Context } from "../context";
import type { NetworkRow } from "./addresses";
import { requestNetworks } from "./apply";
import { freeCidr } from "./freeRange";
import { vmsIn } from "./networkChecks";

const preferredCidr = "192.168.0.0/24";
const isDefault = eq(networks.name, "default");

/** A range that the network can't have, and whose it is, as in "the host has a route to". */
interface Taken {
  cidr: string;
  by: string;
}

/**
 * Sees to it that there is the network `default`, in a range that the host has no other way to. One that no VM is in moves where the host has a route to its
 * range, and the addresses that were kept in it are let go of; one with VMs stays, as does one for which there is no range, and the log tells.
 * @param driver the host's: user-mode networks disturb no route, each being inside a QEMU
 */
export async function ensureDefaultNetwork(context: Context, driver: HostReport["network"]["driver"]): Promise<void> {
  const occupied = driver === "bridge" ? (await context.agent.networkStatus()).occupiedCidrs : [];
  const routeTo = (cidr: string) => occupied.find((one) => overlaps(one, cidr));
  const [seen] = await context.db.select().from(networks).where(isDefault);
  if (seen && routeTo(seen.cidr) === undefined) {
    toldOf.delete(context);
    return;
  }
  await context.db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('networks'))`);
    // No VM is given an address of it meanwhile.
    const [present] = await tx.select().from(networks).where(isDefault).for("update");
    const route = present && routeTo(present.cidr);
    if (present && route === undefined) return;
    const others = (await tx.select().from(networks)).filter(({ name }) => name !== "default");
    const taken: Taken[] = [
      ...occupied.map((cidr) => ({ cidr, by: "the host has a route to" })),
      ...others.map(({ cidr, name }) => ({ cidr, by: `the network ${name} has` })),
    ];
    const cidr = freeCidr(taken.map(({ cidr }) => cidr));
    if (!present) return add(tx, context, taken, cidr);
    const whyStays = cidr === undefined ? "there is no other range" : await whoIsIn(tx, present.id);
    if (cidr === undefined || whyStays !== null) {
      return tellOnce(context, `${present.cidr} stays beside the route to ${route}, since ${whyStays}`);
    }
    await move(tx, context, present, cidr, taken);
  });
}

async function add(tx: Queryable, { log }: Context, taken: readonly Taken[], cidr: string | undefined): Promise<void> {
  if (cidr === undefined) {
    throw new CumulusError(
      "conflict",
      "The host has routes to all private ranges, so there is none for the network default. Set CUMULUS_NETWORK=user.",
    );
  }
  const description = whyElsewhere(taken);
  if (description !== "") log.warn({ cidr }, description);
  const values = { name: "default", domain: "default.internal", cidr, gateway: defaultGatewayOf(cidr), description };
  const [row] = await tx.insert(networks).values(values).returning();
  if (row) await tell(tx, row.id);
}

async function move(
  tx: Queryable,
  { log }: Context,
  { id, cidr: from }: NetworkRow,
  cidr: string,
  taken: readonly Taken[],
): Promise<void> {
  const kept = await tx.delete(addresses).where(eq(addresses.networkId, id)).returning();
  const reserved = kept
    .filter(({ vmId, reservedMac }) => vmId === null || reservedMac !== null)
    .map(({ ipv4 }) => ipv4);
  const isFree =
    reserved.length > 0 ? ` Addresses that were reserved in ${from} are no more: ${reserved.join(", ")}.` : "";
  const description = `${whyElsewhere(taken)}${isFree}`.trim().slice(0, 500);
  log.warn({ from, cidr, reserved }, description || `The network default moved to ${cidr}.`);
  const gateway = defaultGatewayOf(cidr);
  await tx
    .update(networks)
    .set({ cidr, gateway, description, rangeFirst: null, rangeLast: null })
    .where(eq(networks.id, id));
  await tell(tx, id);
}

async function tell(tx: Queryable, id: number): Promise<void> {
  await requestNetworks(tx);
  await announce(tx, { kind: "network", id });
}

/** Empty where it has the range that it has as usual. */
function whyElsewhere(taken: readonly Taken[]): string {
  const inTheWay = taken.find((one) => overlaps(one.cidr, preferredCidr));
  return inTheWay === undefined ? "" : `Not ${preferredCidr}, as usual: ${inTheWay.by} ${inTheWay.cidr}.`;
}

async function whoIsIn(tx: Queryable, id: number): Promise<string | null> {
  const inside = await vmsIn(tx, id);
  return inside.length === 0 ? null : `VMs are in it (${inside.map(({ name }) => name).join(", ")})`;
}

/** What was told of a default network that stays in a route's way: it is looked at again and again. */
const toldOf = new WeakMap<Context, string>();

function tellOnce(context: Context, what: string): void {
  if (toldOf.get(context) === what) return;
  toldOf.set(context, what);
  context.log.error({}, `The network default overlaps a route of the host: ${what}.`);
}
