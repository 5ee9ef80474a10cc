import { and, eq, isNull, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { vms } from "../../db/schema/vms";
import { CumulusError, type FieldErrors } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import type { Network } from "../../domain/network";
import type { NetworkRow } from "./addresses";

/** What of a network is more than a range of addresses. */
interface Wishes {
  outside?: Network["outside"] | undefined;
  reaches?: readonly number[] | undefined;
  dnsServers?: readonly string[] | undefined;
  hasIpv6?: boolean | undefined;
}

/** What a network asks for that QEMU's user-mode networks, of which each is one VM's own, don't have: why, by field. Pure. */
function beyondUserMode({ outside, reaches = [], dnsServers = [], hasIpv6 = false }: Wishes): FieldErrors {
  return {
    ...(outside === "routed" && {
      outside: "In a user-mode network, a VM reaches out by the host's address or not at all.",
    }),
    ...(reaches.length > 0 && { reaches: "In a user-mode network, a VM is alone and reaches no other." }),
    ...(dnsServers.length > 0 && { dnsServers: "In a user-mode network, a VM asks the host's name servers." }),
    ...(hasIpv6 && { ipv6: "User-mode networks have no IPv6." }),
  };
}

/** @throws `conflict` for what the host's user-mode networks can't have */
export function refuseBeyondUserMode(
  { driver, reason }: Pick<HostReport["network"], "driver" | "reason">,
  wishes: Wishes,
) {
  if (driver !== "user") return;
  const told = Object.entries(beyondUserMode(wishes)).map(([field, why]) => [field, `${why} ${reason}`] as const);
  const [first] = told;
  if (first) throw new CumulusError("conflict", first[1], { fields: Object.fromEntries(told) });
}

/** Why not all that a network asks for is in effect on a host with this driver; null when it can be. Pure. */
export function whyNotAll(driver: Network["driver"], row: NetworkRow): string | null {
  if (driver !== "user") return null;
  const reasons = Object.values(beyondUserMode({ ...row, hasIpv6: row.ipv6Cidr !== null }));
  return reasons.length === 0 ? null : reasons.join(" ");
}

/** VMs of a network without a way out that have one still, as they were started before user-mode networks could be without, in a sentence; null when there are none. */
export async function whoStillReachesOut(
  db: Queryable,
  { id, outside }: Pick<NetworkRow, "id" | "outside">,
): Promise<string | null> {
  if (outside !== "none") return null;
  const reaching = await db
    .select({ name: vms.name })
    .from(vms)
    .where(
      and(
        eq(vms.networkId, id),
        isNull(vms.deletedAt),
        sql`${vms.observedLink}->>'driver' = 'user' and ${vms.observedLink}->>'isRestricted' is distinct from 'true'`,
      ),
    )
    .orderBy(vms.id);
  if (reaching.length === 0) return null;
  const names = reaching.map(({ name }) => name).join(", ");
  return `Started before it was so, these VMs still reach out: ${names}. Stop and start them (a reboot is not enough).`;
}

/**
 * QEMU is told whether there is a way out when it starts with a user-mode network. VMs of the network can't be started while it is looked which run, nor
 * until the change is written.
 * @throws `conflict` for a change that VMs which run would not feel
 */
export async function refuseUnfeltWayOut(
  tx: Queryable,
  driver: Network["driver"],
  { id, outside: before }: NetworkRow,
  outside: Network["outside"] = before,
): Promise<void> {
  if ((outside === "none") === (before === "none")) return;
  // On a host with bridges, no VM comes to run in user mode.
  const inUserMode = driver === "user" ? undefined : sql`${vms.observedLink}->>'driver' = 'user'`;
  const inside = await tx
    .select({ name: vms.name, desired: vms.desired, observedLink: vms.observedLink })
    .from(vms)
    .where(and(eq(vms.networkId, id), isNull(vms.deletedAt), inUserMode))
    .orderBy(vms.id)
    .for("update");
  const running = inside.filter(({ desired, observedLink }) => observedLink !== null || desired === "running");
  if (running.length === 0) return;
  const message = `A VM with a user-mode network gets its way out, or none, when it starts. Stop these first: ${running.map(({ name }) => name).join(", ")}.`;
  throw new CumulusError("conflict", message, { fields: { outside: message } });
}
