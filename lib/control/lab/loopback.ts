import { and, asc, eq, isNull, notInArray, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { vms } from "../../db/schema/vms";
import { sharedUser } from "../../domain/host";
import type { Observed } from "../../domain/vmStatus";

/** In these a VM has no QEMU, so nothing comes from it. */
const offStates: Observed[] = ["absent", "stopped", "crashed"];

/**
 * Why this machine's loopback may be reached from within a VM, in a sentence; null when it is not. A user-mode network leads there, and a VM keeps the one that it
 * was started with when the host has bridges meanwhile; one that runs counts as long as nobody has seen how it is connected. A recipe's machine has such a
 * network on any host, where its user alone keeps it from the loopback.
 */
export async function whyGuestsReachLoopback(db: Queryable): Promise<string | null> {
  const [host] = await db.select({ report: hosts.report }).from(hosts).orderBy(asc(hosts.id)).limit(1);
  if (!host?.report) return "It is not known yet how VMs are connected to this machine.";
  const { network, degraded } = host.report;
  if (network.driver === "user") return "With user-mode networking VMs reach this machine's loopback.";
  if (degraded.some(({ code }) => code === sharedUser)) {
    return "All VMs share one user on this machine, and the machines of recipes have it too: nothing keeps those from its loopback.";
  }
  const isUserMode = eq(sql`${vms.observedLink}->>'driver'`, "user");
  const isUnknown = and(isNull(vms.observedLink), notInArray(vms.observed, offStates));
  const count = await db.$count(vms, and(isNull(vms.deletedAt), or(isUserMode, isUnknown)));
  if (count === 0) return null;
  return "A VM still runs with the user-mode network that it was started with, from which it reaches this machine's loopback; stopped and started, it joins its network.";
}
