import type { NetworkState } from "../../domain/hostNetwork";
import { applyBridges } from "./bridges";
import type { DnsmasqKeeper } from "./dnsmasq";
import { openForeignFirewalls } from "./foreignFirewall";
import { forgetShortcuts, guardTable } from "./guardRules";
import { hostTable } from "./hostRules";
import { applyLimits } from "./limits";
import type { NetworkNames } from "./names";
import { ensureNamespace, setTrackingParameters } from "./namespace";
import type { Nftables } from "./nftables";
import { hostNameServers } from "./resolvers";
import { routingTable } from "./routingRules";
import { applyHostRoutes, ensureUplink, type Withheld } from "./uplink";

export interface Reconciled {
  names: NetworkNames;
  state: NetworkState;
  nftables: Nftables;
  dnsmasq: DnsmasqKeeper;
  /** Whether this agent has set the namespace's kernel parameters before. */
  hasParameters: boolean;
  /** The user that a VM's QEMU runs as. */
  ownerOf(vmId: number): number;
  /** The user of work on images; null: it has none to itself. */
  workUid: number | null;
}

/**
 * Brings this computer's networks to what the state says, and touches nothing that is so already: it can run at any time, and carries on where a
 * crash broke it off. Rules come before the links that they are about, so that no link is ever without.
 * @returns networks that the host doesn't reach, why VMs find no names outside, and what was not as the state says, in words: of all that is Cumulus' own, not of the host's kernel
 * parameters and other firewalls, which change as other programs come and go
 */
export async function reconcile({
  names,
  state,
  nftables,
  dnsmasq,
  ownerOf,
  workUid,
  hasParameters,
}: Reconciled): Promise<{ withheld: Withheld[]; unnamed: string | null; changed: string[] }> {
  const inside = names.namespacePath;
  const isFresh = await ensureNamespace(names, hasParameters);
  const { uplink, isChanged } = await ensureUplink(names);
  const tables = await Promise.all([
    nftables.apply(inside, guardTable(names, state)),
    nftables.apply(inside, routingTable(state, uplink)),
    nftables.apply(null, hostTable(names, state, uplink, workUid)),
  ]);
  if (tables[0]) await forgetShortcuts(names);
  if (isFresh) await setTrackingParameters(names);
  const hostServers = await hostNameServers();
  const areLinksChanged = await applyBridges(names, state, ownerOf);
  const [{ withheld, areChanged }, areLimitsChanged] = await Promise.all([
    applyHostRoutes(names, state, uplink),
    applyLimits(inside, state),
    openForeignFirewalls(names, hostServers.own.length > 0),
  ]);
  const servers = await dnsmasq.apply(state.networks, hostServers, uplink);
  const changed = {
    namespace: isFresh,
    rules: tables.includes(true),
    links: isChanged || areLinksChanged,
    routes: areChanged,
    limits: areLimitsChanged,
    "name servers": servers.isNew,
  };
  const unnamed = servers.problem;
  return {
    withheld,
    unnamed,
    changed: Object.entries(changed).flatMap(([what, isChanged]) => (isChanged ? [what] : [])),
  };
}
