import { overlaps } from "../../domain/cidrs";
import type { Disagreement, NetworkFact, Snapshot } from "../snapshot";
import { nameOfId } from "./words";

const check = "networks";
const comesBack = "wait half a minute, in which the agent makes it anew; if it stays so, see the agent's log.";

/** The links, rules, leases and name servers of the bridges are those of the networks, and there are no others. */
export function checkNetworks(snapshot: Snapshot): Disagreement[] {
  const { network } = snapshot;
  if (network === null) return [];
  if (network.wanted.length === 0) return leftover(network);
  if (!network.hasNamespace)
    return [tell("namespace", `The network namespace ${network.namespace} is gone: ${comesBack}`)];
  return [
    ...missingLinks(snapshot, network),
    ...foreignLinks(network),
    ...checkRules(network),
    ...checkUplink(network),
    ...checkLeases(network),
    ...checkNameServers(network),
    ...checkVms(snapshot, network),
  ];
}

function leftover({
  namespace,
  hasNamespace,
  hostLink,
  hasHostLink,
  hasHostTable,
  nameServers,
}: NetworkFact): Disagreement[] {
  const what = [
    hasNamespace ? `the network namespace ${namespace} (ip netns delete ${namespace})` : "",
    hasHostLink ? `the link ${hostLink} (ip link delete ${hostLink})` : "",
    hasHostTable ? `the nft table ${hostLink} (nft delete table inet ${hostLink})` : "",
    ...nameServers.map(({ pid }) => `the name server ${pid} (kill ${pid})`),
  ].filter((text) => text !== "");
  return what.map((text) =>
    tell(`leftover ${text}`, `There are no networks on bridges any more, and ${text} is left.`),
  );
}

function missingLinks(snapshot: Snapshot, { wanted, links, namespace }: NetworkFact): Disagreement[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  return wanted.flatMap(({ id, gateway, hosts }) => {
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

function foreignLinks({ wanted, links, namespace }: NetworkFact): Disagreement[] {
  const known = new Set(wanted.flatMap(({ id, hosts }) => [`br${id}`, ...hosts.map(tapOf)]));
  return links
    .filter(({ name }) => !known.has(name))
    .map(({ name }) =>
      tell(
        name,
        `The link ${name} in ${namespace} belongs to no network: remove it with ip -netns ${namespace} link delete ${name}.`,
      ),
    );
}

function checkRules({ wanted, senders, closedChains, hasHostTable, hostLink }: NetworkFact): Disagreement[] {
  const allowed = wanted.flatMap(({ hosts }) =>
    hosts.flatMap((host) => [`${tapOf(host)} ${host.mac}`, `${tapOf(host)} ${host.ipv4}`]),
  );
  const missing = allowed.filter((sender) => !senders.includes(sender));
  const foreign = senders.filter((sender) => !allowed.includes(sender));
  const open = ["bridge guard", "inet forward", "inet input"].filter((chain) => !closedChains.includes(chain));
  return [
    ...missing.map((sender) =>
      tell(`sender ${sender}`, `The rules don't let ${sender} send, which is a VM's own: ${comesBack}`),
    ),
    ...foreign.map((sender) =>
      tell(`sender ${sender}`, `The rules let ${sender} send, which is no VM's: ${comesBack}`),
    ),
    ...open.map((chain) => tell(`chain ${chain}`, `The chain ${chain} doesn't drop what nobody allowed: ${comesBack}`)),
    ...(hasHostTable
      ? []
      : [tell("host table", `The host's nft table ${hostLink} is gone, so VMs can't go out: ${comesBack}`)]),
  ];
}

function checkUplink({ wanted, hostLink, hasHostLink, routes, otherRoutes }: NetworkFact): Disagreement[] {
  if (!hasHostLink)
    return [tell("uplink", `The link ${hostLink}, which joins the networks to this host, is gone: ${comesBack}`)];
  return wanted
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

function checkLeases({ wanted, leases }: NetworkFact): Disagreement[] {
  return leases
    .filter(({ networkId, mac, ipv4 }) => {
      const hosts = wanted.find(({ id }) => id === networkId)?.hosts ?? [];
      const holder = hosts.find((host) => host.ipv4 === ipv4);
      return holder !== undefined && holder.mac !== mac;
    })
    .map(({ mac, ipv4 }) =>
      tell(`lease ${ipv4}`, `The address ${ipv4} is leased to ${mac}, and is another VM's: restart that VM.`),
    );
}

function checkNameServers({ wanted, nameServers }: NetworkFact): Disagreement[] {
  const counts = wanted.map(({ id }) => ({
    id,
    pids: nameServers.filter(({ networkId }) => networkId === id).map(({ pid }) => pid),
  }));
  const foreign = nameServers.filter(({ networkId }) => !wanted.some(({ id }) => id === networkId));
  return [
    ...counts.flatMap(({ id, pids }) => {
      if (pids.length === 1) return [];
      const what = pids.length === 0 ? "no name server" : `${pids.length} name servers (${pids.join(", ")})`;
      return [tell(`name server ${id}`, `Network ${id} has ${what}: ${comesBack}`)];
    }),
    ...foreign.map(({ pid, networkId }) =>
      tell(`name server ${pid}`, `Process ${pid} serves names for network ${networkId}, which is gone: kill ${pid}.`),
    ),
  ];
}

/** What a VM's folder says of its address, and what its network does. */
function checkVms(snapshot: Snapshot, { wanted }: NetworkFact): Disagreement[] {
  const hosts = wanted.flatMap((network) => network.hosts).filter(({ interfaceId }) => interfaceId === "net0");
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

function tapOf({ vmId, interfaceId }: { vmId: number; interfaceId: string }): string {
  return `t${vmId}n${interfaceId.slice("net".length)}`;
}

function tell(subject: string, message: string): Disagreement {
  return { check, subject, message };
}
