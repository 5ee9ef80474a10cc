import * as z from "zod";
import { canonicalCidr, canonicalIpv6, overlaps } from "./cidrs";
import { portSchema } from "./port";

/**
 * What the control plane tells a host about networks: the whole state, each time. It lies in the data folder as `networks.json`, so that the host brings
 * everything back by itself after a reboot.
 */

const ipv6Schema = z.ipv6().transform(canonicalIpv6);
const macSchema = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
const interfaceIdSchema = z.string().regex(/^net\d{1,2}$/);
const vmIdSchema = z.number().int().positive().max(2_147_483_647);
const labelSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const domainSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/);

/** One interface of a VM in a network: the only sender that the network takes its MAC and addresses from. */
export const networkHostSchema = z.object({
  vmId: vmIdSchema,
  interfaceId: interfaceIdSchema,
  mac: macSchema,
  ipv4: z.ipv4(),
  ipv6: ipv6Schema.nullable(),
  /** The VM's name: its DNS label within the network. */
  name: labelSchema,
});
export type NetworkHost = z.infer<typeof networkHostSchema>;

/** A port of this computer that leads to a port of a VM. */
export const portForwardSchema = z.object({
  /** An address of this computer; "0.0.0.0" for all of them. */
  hostAddress: z.ipv4(),
  hostPort: portSchema,
  protocol: z.enum(["tcp", "udp"]),
  /** The VM's address. */
  ipv4: z.ipv4(),
  port: portSchema,
});
export type PortForward = z.infer<typeof portForwardSchema>;

export const hostNetworkSchema = z.object({
  id: z.number().int().positive().max(2_147_483_647),
  name: z.string(),
  /** "192.168.0.0/24": overlaps no other network of this host. */
  cidr: z.cidrv4().transform(canonicalCidr),
  gateway: z.ipv4(),
  /** Names within it are `<vm>.<domain>`. */
  domain: domainSchema,
  /** Name servers that are asked for all other names; none: those of this computer. */
  dnsServers: z.array(z.ipv4()),
  /**
   * The way out: `nat` by this computer's address; `routed` with the VMs' own addresses, which the routers out there must know, and also in; `none`. The
   * computer itself reaches the VMs in any case.
   */
  outside: z.enum(["nat", "routed", "none"]),
  /** Ids of networks whose VMs its VMs may connect to. */
  reaches: z.array(z.number().int()),
  /** A prefix of 64 bits within fd00::/8 (RFC 4193), for traffic among VMs and with this computer. */
  ipv6: z.object({ cidr: z.cidrv6().transform(canonicalCidr), gateway: ipv6Schema }).nullable(),
  hosts: z.array(networkHostSchema),
  forwards: z.array(portForwardSchema),
});
export type HostNetwork = z.infer<typeof hostNetworkSchema>;

export const firewallRuleSchema = z.object({
  protocol: z.enum(["tcp", "udp", "icmp", "any"]),
  /** Ports of the receiver; null: all. Only with tcp and udp. */
  ports: z
    .array(z.object({ from: portSchema, to: portSchema }).refine(({ from, to }) => from <= to))
    .min(1)
    .nullable(),
  /** Who may send, or be sent to; none: anybody. */
  cidrs: z.array(z.union([z.cidrv4(), z.cidrv6()])),
});
export type FirewallRule = z.infer<typeof firewallRuleSchema>;

/** What an interface lets through, in each direction: null is everything, a list is what fits one of its rules. Stateful: answers to what is let through always pass. */
export const interfaceFirewallSchema = z.object({
  vmId: vmIdSchema,
  interfaceId: interfaceIdSchema,
  ingress: z.array(firewallRuleSchema).nullable(),
  egress: z.array(firewallRuleSchema).nullable(),
});
export type InterfaceFirewall = z.infer<typeof interfaceFirewallSchema>;

const rateSchema = z.number().int().min(1000).nullable();

/** Bandwidth of an interface as the VM sees it: `ingress` is what it receives. */
export const interfaceLimitSchema = z.object({
  vmId: vmIdSchema,
  interfaceId: interfaceIdSchema,
  ingressBytesPerSecond: rateSchema,
  egressBytesPerSecond: rateSchema,
});

export const networkStateSchema = z
  .object({
    networks: z.array(hostNetworkSchema),
    firewalls: z.array(interfaceFirewallSchema),
    limits: z.array(interfaceLimitSchema),
  })
  .superRefine(({ networks }, context) => {
    const hosts = networks.flatMap((network) => network.hosts);
    const unique: [what: string, values: unknown[]][] = [
      ["network id", networks.map(({ id }) => id)],
      ["interface", hosts.map(interfaceKey)],
      ["MAC", hosts.map(({ mac }) => mac)],
      ["address", hosts.map(({ ipv4 }) => ipv4)],
      ["IPv6 address", hosts.flatMap(({ ipv6 }) => ipv6 ?? [])],
      ["host port", networks.flatMap(({ forwards }) => forwards.map(forwardKey))],
    ];
    const ranges = networks.flatMap(({ cidr, ipv6 }) => (ipv6 === null ? [cidr] : [cidr, ipv6.cidr]));
    for (const [index, range] of ranges.entries()) {
      const other = ranges.slice(index + 1).find((one) => overlaps(range, one));
      if (other !== undefined)
        context.addIssue({ code: "custom", message: `The ranges ${range} and ${other} overlap.` });
    }
    for (const [what, values] of unique) {
      const twice = values.find((value, index) => values.indexOf(value) !== index);
      if (twice !== undefined) context.addIssue({ code: "custom", message: `The ${what} ${twice} is given twice.` });
    }
  });
export type NetworkState = z.infer<typeof networkStateSchema>;

export const noNetworks: NetworkState = { networks: [], firewalls: [], limits: [] };

/** Names an interface of a VM among all of a host. */
export function interfaceKey({ vmId, interfaceId }: { vmId: number; interfaceId: string }): string {
  return `${vmId}/${interfaceId}`;
}

/** What of a state is about these interfaces alone, and the networks that they are in. Pure. */
export function stateOfHosts(state: NetworkState, hosts: readonly NetworkHost[]): NetworkState {
  const keys = new Set(hosts.map(hostKey));
  const networks = state.networks
    .map((network) => ({ ...network, hosts: network.hosts.filter((host) => keys.has(hostKey(host))) }))
    .filter((network) => network.hosts.length > 0);
  const ids = new Set(networks.map(({ id }) => id));
  const stay = new Set(networks.flatMap((network) => network.hosts.map(interfaceKey)));
  return {
    networks: networks.map((network) => ({
      ...network,
      reaches: network.reaches.filter((id) => ids.has(id)),
      forwards: network.forwards.filter(({ ipv4 }) => network.hosts.some((host) => host.ipv4 === ipv4)),
    })),
    firewalls: state.firewalls.filter((one) => stay.has(interfaceKey(one))),
    limits: state.limits.filter((one) => stay.has(interfaceKey(one))),
  };
}

function hostKey({ vmId, interfaceId, mac, ipv4 }: NetworkHost): string {
  return `${interfaceKey({ vmId, interfaceId })} ${mac} ${ipv4}`;
}

function forwardKey({ hostAddress, hostPort, protocol }: PortForward): string {
  return `${hostAddress}:${hostPort}/${protocol}`;
}

/** What is seen of an interface right now. */
export const interfaceStatusSchema = z.object({
  vmId: vmIdSchema,
  interfaceId: interfaceIdSchema,
  networkId: z.number().int(),
  /** Whether a VM holds the other end. */
  isUp: z.boolean(),
  /** Since the interface was made, as the VM sees it: `received` by the VM. */
  receivedBytes: z.number(),
  receivedPackets: z.number(),
  sentBytes: z.number(),
  sentPackets: z.number(),
  /** When the address given by DHCP lapses; null: the VM asked for none, or its address is in its seed. */
  leaseEndsAt: z.iso.datetime().nullable(),
  /** Whether the VM answers for its address (ARP) now or did lately; null: nobody asked. */
  isAddressSeen: z.boolean().nullable(),
});
export type InterfaceStatus = z.infer<typeof interfaceStatusSchema>;

/** A program of this computer that waits for packets; "0.0.0.0" for all addresses. */
export const listeningSocketSchema = z.object({
  address: z.string(),
  port: z.number().int(),
  protocol: z.enum(["tcp", "udp"]),
});
export type ListeningSocket = z.infer<typeof listeningSocketSchema>;

/** A forward of a VM with a user-mode network that is not as asked for while the VM runs: missing, or still there. */
export const brokenForwardSchema = z.object({
  vmId: z.number().int(),
  protocol: portForwardSchema.shape.protocol,
  hostPort: portSchema,
  /** Why, and what to do, in a sentence or two. */
  reason: z.string(),
});
export type BrokenForward = z.infer<typeof brokenForwardSchema>;

export const networkStatusSchema = z.object({
  driver: z.enum(["bridge", "user"]),
  reason: z.string(),
  /** Ranges that this computer has routes to, none of which a network may overlap; those of the networks themselves are left out. */
  occupiedCidrs: z.array(z.string()),
  /** IPv4 addresses of this computer. */
  addresses: z.array(z.string()),
  listening: z.array(listeningSocketSchema),
  interfaces: z.array(interfaceStatusSchema),
  brokenForwards: z.array(brokenForwardSchema),
});
export type NetworkStatus = z.infer<typeof networkStatusSchema>;

/** One step of "why can't I reach it?". */
export const reachabilityCheckSchema = z.object({
  name: z.enum(["running", "interface", "lease", "arp", "firewall", "route", "port", "ssh", "forward"]),
  /** `unknown` says nothing for or against: the steps after it count. */
  outcome: z.enum(["ok", "failed", "unknown"]),
  /** What was seen, in a sentence. */
  message: z.string(),
  /** What to do; null unless `failed`. */
  fix: z.string().nullable(),
  /** Of `firewall`: what lets it through, where a rule does. */
  rule: firewallRuleSchema.optional(),
});
export type ReachabilityCheck = z.infer<typeof reachabilityCheckSchema>;
