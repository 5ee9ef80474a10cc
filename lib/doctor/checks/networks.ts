import { overlaps } from "../../domain/cidrs";
import type { Disagreement, NetworkFact, Snapshot } from "../snapshot";
import { checkAskedNetworks } from "./askedNetworks";
import { checkLeases } from "./leases";
import { checkNameFiles } from "./nameFiles";
import { checkLimits, checkTables } from "./networkRules";
import { comesBack, nameOfId, tapOf, tellOfNetworks as tell } from "./words";

/** The links, rules, leases and name servers of the bridges are those of the networks, and there are no others. */
export function checkNetworks(snapshot: Snapshot): Disagreement[] {
  const { network } = snapshot;
  if (network === null) return [];
  const general = [...checkAskedNetworks(snapshot, network), ...unseenFirewalls(network)];
  if (network.written.networks.length === 0) return [...general, ...leftover(network)];
  if (!network.hasNamespace)
    return [...general, tell("namespace", `The network namespace ${network.namespace} is gone: ${comesBack}`)];
  return [
    ...general,
    ...missingLinks(snapshot, network),
    ...foreignLinks(network),
    ...checkSenders(network),
    ...checkTables(network),
    ...checkLimits(snapshot, network),
    ...checkForwarding(network),
    ...checkHostFirewalls(network),
    ...checkUplink(network),
    ...checkLeases(snapshot, network),
    ...checkNameServers(network),
    ...checkNameFiles(network),
    ...checkVms(snapshot, network),
  ];
}

function leftover({
  namespace,
  hasNamespace,
  hostLink,
  hasHostLink,
  hasHostTable,
  hostFirewalls,
  nameServers,
}: NetworkFact): Disagreement[] {
  const what = [
    hasNamespace ? `the network namespace ${namespace} (ip netns delete ${namespace})` : "",
    hasHostLink ? `the link ${hostLink} (ip link delete ${hostLink})` : "",
    hasHostTable ? `the nft table ${hostLink} (nft delete table inet ${hostLink})` : "",
    ...hostFirewalls.removals.map((command) => `a rule of Cumulus' in this host's own firewall (${command})`),
    ...nameServers.map(({ pid }) => `the name server ${pid} (kill ${pid})`),
  ].filter((text) => text !== "");
  return what.map((text) =>
    tell(`leftover ${text}`, `There are no networks on bridges any more, and ${text} is left.`),
  );
}

function missingLinks(snapshot: Snapshot, { written, links, namespace }: NetworkFact): Disagreement[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  return written.networks.flatMap(({ id, gateway, hosts }) => {
    const bridge = byName.get(`br${id}`);
    const isGateway = bridge?.isUp && bridge.addresses.includes(gateway);
    const ports = hosts.flatMap((host) => {
      const name = tapOf(host);
      const tap = byName.get(name);
      if (tap?.isUp && tap.master === `br${id}` && !tap.isIsolated) return [];
      const what = tap === undefined ? "is gone" : "is no port of its bridge, or cut off from the others";
      return [tell(name, `The link ${name} of ${nameOfId(snapshot, host.vmId)} in ${namespace} ${what}: ${comesBack}`)];
    });
    return isGateway
      ? ports
      : [tell(`br${id}`, `The bridge br${id} in ${namespace} is not up with ${gateway}: ${comesBack}`), ...ports];
  });
}

function foreignLinks({ written, links, namespace }: NetworkFact): Disagreement[] {
  const known = new Set(written.networks.flatMap(({ id, hosts }) => [`br${id}`, ...hosts.map(tapOf)]));
  return links
    .filter(({ name }) => !known.has(name))
    .map(({ name }) =>
      tell(
        name,
        `The link ${name} in ${namespace} belongs to no network: remove it with ip -netns ${namespace} link delete ${name}.`,
      ),
    );
}

function checkSenders({ written, senders }: NetworkFact): Disagreement[] {
  const allowed = written.networks.flatMap(({ hosts }) =>
    hosts.flatMap((host) => [`${tapOf(host)} ${host.mac}`, `${tapOf(host)} ${host.mac} ${host.ipv4}`]),
  );
  const missing = allowed.filter((sender) => !senders.includes(sender));
  const foreign = senders.filter((sender) => !allowed.includes(sender));
  return [
    ...missing.map((sender) =>
      tell(`sender ${sender}`, `The rules don't let ${sender} send, which is a VM's own: ${comesBack}`),
    ),
    ...foreign.map((sender) =>
      tell(`sender ${sender}`, `The rules let ${sender} send, which is no VM's: ${comesBack}`),
    ),
  ];
}

function checkForwarding({ isForwarding }: NetworkFact): Disagreement[] {
  if (isForwarding) return [];
  const message = `This host passes no packets on (net.ipv4.ip_forward is 0), so VMs don't reach out and no forward leads to them: ${comesBack}`;
  return [tell("ip_forward", message)];
}

function checkHostFirewalls({ hostFirewalls }: NetworkFact): Disagreement[] {
  return hostFirewalls.closed.map((chain) =>
    tell(
      `firewall ${chain}`,
      `The ${chain} of this host drops what VMs send and get, for the rules that let it through are gone: ${comesBack}`,
    ),
  );
}

function unseenFirewalls({ hostFirewalls }: NetworkFact): Disagreement[] {
  return hostFirewalls.unseen.map(({ firewall, reason }) =>
    tell(
      `firewall ${firewall}`,
      `The firewall of ${firewall} on this host could not be looked at, so nobody knows whether it drops what VMs send and get: ${reason}`,
    ),
  );
}

function checkUplink({ written, hostLink, hasHostLink, routes, otherRoutes }: NetworkFact): Disagreement[] {
  if (!hasHostLink)
    return [tell("uplink", `The link ${hostLink}, which joins the networks to this host, is gone: ${comesBack}`)];
  return written.networks
    .filter(({ cidr }) => !routes.includes(cidr))
    .map(({ cidr }) => {
      const other = otherRoutes.find((one) => overlaps(one, cidr));
      const advice =
        other === undefined
          ? comesBack
          : `it has another way to ${other}. Give VMs that it shall reach a network with another range.`;
      return tell(`route ${cidr}`, `This host has no route to ${cidr} by ${hostLink}: ${advice}`);
    });
}

const unanswered = `VMs find no names outside: this host's name servers answer it alone, and the process that asks them for VMs is gone. It comes back within half a minute while the agent runs; if it doesn't, the Host page says why, and PATCH /api/networks/ID {"dnsServers":["…"]} gives a network name servers of its own.`;

function checkNameServers({ written, nameServers, isHostAsked }: NetworkFact): Disagreement[] {
  const counts = written.networks.map(({ id }) => ({
    id,
    pids: nameServers.filter(({ networkId }) => networkId === id).map(({ pid }) => pid),
  }));
  const foreign = nameServers.filter(
    ({ networkId }) => networkId !== null && !written.networks.some(({ id }) => id === networkId),
  );
  const onHost = nameServers.filter(({ networkId }) => networkId === null).map(({ pid }) => pid);
  const isMissing = isHostAsked && onHost.length === 0;
  return [
    ...counts.flatMap(({ id, pids }) => {
      if (pids.length === 1) return [];
      const what = pids.length === 0 ? "no name server" : `${pids.length} name servers (${pids.join(", ")})`;
      return [tell(`name server ${id}`, `Network ${id} has ${what}: ${comesBack}`)];
    }),
    ...foreign.map(({ pid, networkId }) =>
      tell(`name server ${pid}`, `Process ${pid} serves names for network ${networkId}, which is gone: kill ${pid}.`),
    ),
    ...(isMissing ? [tell("name server on the host", unanswered)] : []),
    ...onHost
      .slice(isHostAsked ? 1 : 0)
      .map((pid) =>
        tell(`name server ${pid}`, `Process ${pid} asks for names on this host, and isn't needed: kill ${pid}.`),
      ),
  ];
}

/** What a VM's folder says of its address, and what its network does. */
function checkVms(snapshot: Snapshot, { written }: NetworkFact): Disagreement[] {
  const hosts = written.networks
    .flatMap((network) => network.hosts)
    .filter(({ interfaceId }) => interfaceId === "net0");
  return hosts.flatMap(({ vmId, mac, ipv4 }) => {
    const spec = snapshot.machines.find(({ id }) => id === vmId)?.spec;
    if (!spec || (spec.mac === mac && spec.ipv4 === ipv4)) return [];
    const name = nameOfId(snapshot, vmId);
    return [
      tell(
        `vm ${vmId}`,
        `The network gives ${name} ${ipv4} and ${mac}, and its folder says ${spec.ipv4} and ${spec.mac}: stop it and start it again.`,
      ),
    ];
  });
}
