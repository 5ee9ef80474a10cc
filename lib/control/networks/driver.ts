import { asc } from "drizzle-orm";
import type { Queryable } from "../../db/client";
import { hosts } from "../../db/schema/hosts";
import { CumulusError } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import { loopbackAddress } from "../../domain/portForward";
import { type VmRow, whyToStartAnew } from "../vms/view";

/** How this machine does networks, and why, as its agent reported last; null until it has. */
export async function networkDriverOf(db: Queryable): Promise<HostReport["network"] | null> {
  const [row] = await db.select({ report: hosts.report }).from(hosts).orderBy(asc(hosts.id)).limit(1);
  return row?.report?.network ?? null;
}

/** What is known of how a VM is connected while it runs. */
type Connected = Pick<VmRow, "observedLink">;

/**
 * Why a host can't forward ports, limit interfaces or enforce firewalls; null when it can.
 * @param vm the one that it is for, which may have been started when the host had other networks
 */
export function whyNotEnforceable(network: HostReport["network"] | null, vm: Connected): string | null {
  if (network === null) return "The host has not reported yet.";
  if (network.driver !== "bridge") {
    return `This host has user-mode networks, which have no firewalls, limits, further interfaces, nor forwards of other addresses than ${loopbackAddress}. ${network.reason}`;
  }
  if (vm.observedLink?.driver !== "user") return null;
  return "This VM still runs with a user-mode network, which can't do that. Stop it and start it: it then joins its network.";
}

/** Why no port of the host can lead to a VM; null when one can: with user-mode networks, of the loopback. */
export function whyNotForwardable(network: HostReport["network"] | null, vm: Connected): string | null {
  if (network?.driver !== "user") return whyNotEnforceable(network, vm);
  return vm.observedLink?.driver === "bridge" ? whyToStartAnew("user") : null;
}

/** Why the interfaces of a VM stay as they are until it stops; null when its host can plug and unplug them. */
export function whyInterfacesStay(network: HostReport["network"] | null, vm: Connected): string | null {
  if (network?.driver === "bridge" || vm.observedLink?.driver !== "bridge") return null;
  return "This VM still runs on bridges, and this host, which has user-mode networks by now, plugs and unplugs nothing there: stop it first.";
}

/** @throws `wrong_state` where it would be written down and not enforced: a wall that isn't there is worse than none */
export async function assertEnforceable(db: Queryable, vm: Connected): Promise<void> {
  const whyNot = whyNotEnforceable(await networkDriverOf(db), vm);
  if (whyNot !== null) throw new CumulusError("wrong_state", `${whyNot} Nothing is changed.`);
}
