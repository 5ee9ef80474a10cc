import { and, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import { CumulusError } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import { defaultGatewayOf, overlaps } from "../../domain/ipv4";
import { announce } from "../changes";
import type { Context } from "../context";
import { requestNetworks } from "./apply";
import { freeCidr } from "./freeRange";

const preferredCidr = "192.168.0.0/24";

/**
 * Sees to it that there is the network `default`, in a range that the host has no other way to. One that no VM is in moves where the host has a route to its
 * range; one with VMs stays, and the log tells.
 * @param driver the host's: user-mode networks disturb no route, each being inside a QEMU
 */
export async function ensureDefaultNetwork(context: Context, driver: HostReport["network"]["driver"]): Promise<void> {
  const occupied = driver === "bridge" ? (await context.agent.networkStatus()).occupiedCidrs : [];
  await context.db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('networks'))`);
    const [present] = await tx.select().from(networks).where(eq(networks.name, "default"));
    const inTheWay = present && occupied.find((cidr) => overlaps(cidr, present.cidr));
    if (present && inTheWay === undefined) return;
    if (present && (await hasVms(tx, present.id))) {
      const { cidr } = present;
      context.log.error(
        { cidr, route: inTheWay },
        "the network default overlaps a route of the host, which leads nowhere while VMs are in it",
      );
      return;
    }
    const others = (await tx.select().from(networks)).filter(({ name }) => name !== "default");
    const taken = [...occupied, ...others.map(({ cidr }) => cidr)];
    const cidr = cidrForDefault(taken);
    const description = cidr === preferredCidr ? "" : whyElsewhere(taken);
    if (description !== "") context.log.warn({ cidr }, description);
    const values = { cidr, gateway: defaultGatewayOf(cidr), description };
    const [row] = await tx
      .insert(networks)
      .values({ name: "default", domain: "default.internal", ...values })
      .onConflictDoUpdate({ target: networks.name, set: { ...values, rangeFirst: null, rangeLast: null } })
      .returning();
    if (!row) return;
    await requestNetworks(tx);
    await announce(tx, { kind: "network", id: row.id });
  });
}

function cidrForDefault(taken: readonly string[]): string {
  const free = freeCidr(taken);
  if (free !== undefined) return free;
  throw new CumulusError(
    "conflict",
    "The host has routes to all private ranges, so there is none for the network default. Set CUMULUS_NETWORK=user.",
  );
}

function whyElsewhere(taken: readonly string[]): string {
  const inTheWay = taken.find((one) => overlaps(one, preferredCidr));
  return `Not ${preferredCidr}, as usual: the host has a route to ${inTheWay}.`;
}

async function hasVms(tx: Queryable, networkId: number): Promise<boolean> {
  return (await tx.$count(vms, and(eq(vms.networkId, networkId), isNull(vms.deletedAt)))) > 0;
}
