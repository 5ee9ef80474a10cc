import { asc } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema";
import { CumulusError } from "../../domain/errors";
import type { HostReport } from "../../domain/host";

/** How this machine does networks, and why, as its agent reported last; null until it has. */
export async function networkDriverOf(db: Queryable): Promise<HostReport["network"] | null> {
  const [row] = await db.select({ report: hosts.report }).from(hosts).orderBy(asc(hosts.id)).limit(1);
  return row?.report?.network ?? null;
}

/** Why a host can't forward ports, limit interfaces or enforce firewalls; null when it can. */
export function whyNotEnforceable(network: HostReport["network"] | null): string | null {
  if (network?.driver === "bridge") return null;
  if (network === null) return "The host has not reported yet.";
  return `This host has user-mode networks, which can't do that. ${network.reason}`;
}

/** @throws `wrong_state` where it would be written down and never enforced: a wall that isn't there is worse than none */
export async function assertEnforceable(db: Queryable): Promise<void> {
  const whyNot = whyNotEnforceable(await networkDriverOf(db));
  if (whyNot !== null) throw new CumulusError("wrong_state", `${whyNot} Nothing is changed.`);
}
