import { and, eq, isNull, notInArray, or, sql } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { vms } from "../../db/schema/vms";
import type { Observed } from "../../domain/vmStatus";
import { networkDriverOf } from "../networks/driver";

/** In these a VM has no QEMU, so nothing comes from it. */
const offStates: Observed[] = ["absent", "stopped", "crashed"];

/**
 * Why this machine's loopback may be reached from within a VM, in a sentence; null when it is not. A user-mode network leads there, and a VM keeps the one that it
 * was started with when the host has bridges meanwhile. One that runs counts as long as nobody has seen how it is connected.
 */
export async function whyGuestsReachLoopback(db: Queryable): Promise<string | null> {
  const driver = (await networkDriverOf(db))?.driver;
  if (driver === undefined) return "It is not known yet how VMs are connected to this machine.";
  if (driver === "user") return "With user-mode networking VMs reach this machine's loopback.";
  const isUserMode = eq(sql`${vms.observedLink}->>'driver'`, "user");
  const isUnknown = and(isNull(vms.observedLink), notInArray(vms.observed, offStates));
  const count = await db.$count(vms, and(isNull(vms.deletedAt), or(isUserMode, isUnknown)));
  if (count === 0) return null;
  return "A VM still runs with the user-mode network that it was started with, from which it reaches this machine's loopback; stopped and started, it joins its network.";
}
