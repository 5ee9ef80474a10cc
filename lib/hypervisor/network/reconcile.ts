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
  /** The user of work on images; null: the agent's own. */
  workUid: number | null;
}

/**
 * Brings this computer's networks to what the state says, and touches nothing that is so already: it can run at any time, and carries on where a
 * crash broke it off. Rules come before the links that they are about, so that no link is ever without.
 * @returns networks that the host doesn't reach, and what was not as the state says, in words
 */
export async function reconcile({
  names,
  state,
  nftables,
  dnsmasq,
  ownerOf,
  workUid,
  hasParameters,
}: Reconciled): Promise<{ withheld: Withheld[]; changed: string[] }> {
  const inside = names.namespacePath;
  const isFresh = await ensureNamespace(names, hasParameters);
  const { uplink, isNew } = await ensureUplink(names);
  const tables = await Promise.all([
    nftables.apply(inside, guardTable(names, state)),
    nftables.apply(inside, routingTable(state, uplink)),
    nftables.apply(null, hostTable(names, state, uplink, workUid)),
  ]);
  if (tables[0]) await forgetShortcuts(names);
  if (isFresh) await setTrackingParameters(names);
  const areLinksNew = await applyBridges(names, state, ownerOf);
  const [{ withheld, areNew }] = await Promise.all([
    applyHostRoutes(names, state, uplink),
    openForeignFirewalls(names),
    applyLimits(inside, state),
  ]);
  const isServerNew = await dnsmasq.apply(state.networks, await hostNameServers());
  const changed = {
    namespace: isFresh,
    rules: tables.includes(true),
    links: isNew || areLinksNew,
    routes: areNew,
    "name servers": isServerNew,
  };
  return { withheld, changed: Object.entries(changed).flatMap(([what, isChanged]) => (isChanged ? [what] : [])) };
}
