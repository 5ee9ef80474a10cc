import * as z from "zod";
import { textSchema } from "./humanText";
import { defaultGatewayOf, dnsAddressOf, ipv4ToNumber, isPrivateCidr, normalCidr, numberToIpv4, rangeOf } from "./ipv4";
import { chosenMacSchema } from "./mac";

/** The router's name in each network's domain (lib/hypervisor/network/dnsmasqConfig.ts). */
export const routerName = "gateway";

const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

export const networkNameSchema = z
  .string()
  .regex(new RegExp(`^${label}$`), "Use 1–63 lower-case letters, digits and dashes: it is part of its VMs' names.");

/** A range of private addresses (RFC 1918) with room for at least one VM. */
export const networkCidrSchema = z
  .cidrv4({ error: 'Give a range such as "192.168.10.0/24".', abort: true })
  .refine((cidr) => isPrivateCidr(cidr), "Use a private range: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.")
  .refine((cidr) => {
    const { first, last } = rangeOf(cidr);
    return last - first >= 7 && last - first < 2 ** 16;
  }, "Use a prefix length from /16 to /29.")
  .transform(normalCidr);

/** With a VM's name before it, it is still a name in DNS: 253 characters at the most. */
const maxDomainLength = 253 - 64;

/** Top-level domains that the public DNS has nothing in (RFC 6762, appendix G; RFC 6761; `internal` by ICANN). */
const privateTopLevels = ["internal", "lan", "home", "corp", "intranet", "private", "test"];

/** A domain in DNS that names of VMs end in. */
export const networkDomainSchema = z
  .string()
  .regex(
    new RegExp(`^${label}(\\.${label})*$`),
    'Give a name such as "lab.internal": lower-case letters, digits, dashes.',
  )
  .regex(/(^|\.)[a-z0-9-]*[a-z-][a-z0-9-]*$/, "Its last part must hold a letter: it would be taken for an address.")
  .refine(
    (domain) => !/(^|\.)localhost$/.test(domain),
    "Names in localhost are each computer's own: choose another domain.",
  )
  .refine(
    (domain) => domain.includes(".") || privateTopLevels.includes(domain),
    `Give it a dot, as in "lab.internal", or one of ${privateTopLevels.join(", ")}: a name in another top-level domain may be somebody's on the Internet, which VMs would not reach.`,
  )
  .max(maxDomainLength, `Use ${maxDomainLength} characters at the most: a VM's name comes before it.`)
  .meta({ description: "Its VMs resolve each other as `<vm>.<domain>`; `<name>.internal` when not given." });

const rangeSchema = z.strictObject({ first: z.ipv4(), last: z.ipv4() });
type VmRange = z.infer<typeof rangeSchema>;

/** What is wrong with the addresses that VMs of a network are to be given by themselves; undefined when nothing is. */
export function rangeProblem(cidr: string, gateway: string, range: VmRange): string | undefined {
  const { first, last } = rangeOf(cidr);
  const [from, to] = [ipv4ToNumber(range.first), ipv4ToNumber(range.last)];
  if (from <= first || to >= last || from > to) return `Give addresses within ${cidr}, the lower one first.`;
  const holds = (address: string) => ipv4ToNumber(address) >= from && ipv4ToNumber(address) <= to;
  if (holds(gateway)) return `Leave out the gateway's address, ${gateway}.`;
  const dns = dnsAddressOf({ cidr, gateway });
  return holds(dns) ? `Leave out ${dns}: VMs have their name server there where networks are in user mode.` : undefined;
}

/** What is wrong with a network's gateway; undefined when nothing is. */
export function gatewayProblem(cidr: string, gateway: string): string | undefined {
  const { first, last } = rangeOf(cidr);
  const value = ipv4ToNumber(gateway);
  if (value > first && value < last && gateway === numberToIpv4(value)) return undefined;
  return `Give an address within ${cidr}: ${numberToIpv4(first + 1)} to ${numberToIpv4(last - 1)}.`;
}

const descriptionSchema = textSchema(500).trim();
const outsideSchema = z.enum(["nat", "routed", "none"]).meta({
  description:
    "The way out: `nat` by the host's address; `routed` with the VMs' own addresses, which the routers out there must know; `none`.",
});
const reachesSchema = z
  .array(z.number().int().positive())
  .max(64)
  .transform((ids) => [...new Set(ids)])
  .meta({ description: "Ids of other networks whose VMs its VMs may connect to; none: it is isolated." });
/** "This network", loopback, multicast, and what is reserved with the broadcast address (RFC 6890). */
const unanswering = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4"].map(rangeOf);

const dnsServerSchema = z.ipv4().refine((address) => {
  const value = ipv4ToNumber(address);
  return !unanswering.some(({ first, last }) => value >= first && value <= last);
}, "Give the address of a name server that the network reaches: not this computer's loopback, nor one that stands for many.");

const dnsServersSchema = z.array(dnsServerSchema).max(3).meta({ description: "None: the host's own." });

/** What is wrong with the name servers of a network, of which its own router asks them; undefined when nothing is. */
export function dnsServersProblem(cidr: string, gateway: string, servers: readonly string[]): string | undefined {
  if (servers.includes(gateway)) {
    return `Leave out ${gateway}, the network's own gateway: it asks these servers itself. With none it asks the host's.`;
  }
  const { first, last } = rangeOf(cidr);
  const nobody = servers.find((server) => [first, last].includes(ipv4ToNumber(server)));
  return nobody === undefined ? undefined : `${nobody} is no computer's address in ${cidr}.`;
}

/** `POST /api/networks`. */
export const createNetworkSchema = z
  .strictObject({
    name: networkNameSchema,
    description: descriptionSchema.optional(),
    cidr: networkCidrSchema,
    gateway: z.ipv4().optional().meta({ description: "One of `cidr`, outside of `range`; the first when not given." }),
    domain: networkDomainSchema.optional(),
    outside: outsideSchema.optional(),
    reaches: reachesSchema.optional(),
    dnsServers: dnsServersSchema.optional(),
    range: rangeSchema.optional().meta({
      description:
        "The addresses that VMs are given by themselves: neither the gateway's nor the last one, which is the name server's in user mode. All others when not given.",
    }),
    /** A range of its own within fd00::/8 (RFC 4193), for traffic among VMs and with the host. */
    ipv6: z.boolean().optional(),
  })
  .superRefine(({ cidr, gateway = defaultGatewayOf(cidr), range, dnsServers = [] }, context) => {
    const refuse = (field: string, message: string | undefined) => {
      if (message !== undefined) context.addIssue({ code: "custom", path: [field], message });
    };
    refuse("gateway", gatewayProblem(cidr, gateway));
    refuse("dnsServers", dnsServersProblem(cidr, gateway, dnsServers));
    if (range !== undefined) refuse("range", rangeProblem(cidr, gateway, range));
  })
  .meta({ id: "CreateNetwork" });
export type CreateNetwork = z.infer<typeof createNetworkSchema>;

/** `POST /api/networks/{id}/addresses`. */
export const reserveAddressSchema = z
  .strictObject({
    ipv4: z.ipv4(),
    /** What it is kept for. */
    note: textSchema(200).trim().optional(),
    mac: chosenMacSchema.optional().meta({
      description:
        "Kept with the address for the interface that is made with it: a VM may then ask for the address, and gets both. Not given: no VM gets the address.",
    }),
  })
  .meta({ id: "ReserveAddress" });
export type ReserveAddress = z.infer<typeof reserveAddressSchema>;

/** `PATCH /api/networks/{id}`. What VMs know of their network, `cidr`, `gateway`, `domain` and `ipv6: false`, changes only while none is in it. */
export const updateNetworkSchema = z
  .strictObject({
    name: networkNameSchema.optional(),
    description: descriptionSchema.optional(),
    cidr: networkCidrSchema.optional(),
    gateway: z.ipv4().optional().meta({
      description: "One of `cidr`, outside of `range`; the first of a new `cidr` when not given.",
    }),
    domain: networkDomainSchema.optional(),
    outside: outsideSchema.optional(),
    reaches: reachesSchema.optional(),
    dnsServers: dnsServersSchema.optional(),
    range: rangeSchema.nullable().optional().meta({
      description: "The addresses that VMs are given by themselves; null: all but the gateway's.",
    }),
    ipv6: z.boolean().optional(),
  })
  .meta({ id: "UpdateNetwork" });
export type UpdateNetwork = z.infer<typeof updateNetworkSchema>;

export const networkSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    description: z.string(),
    cidr: z.string(),
    gateway: z.string(),
    /** Its VMs resolve each other as `<vm>.<domain>`. */
    domain: z.string(),
    dnsServers: z.array(z.string()),
    outside: outsideSchema,
    reaches: z.array(z.number().int()),
    ipv6Cidr: z.string().nullable(),
    range: z.object({ first: z.string(), last: z.string() }).nullable(),
    driver: z.enum(["bridge", "user"]),
    whyNot: z.string().nullable().meta({
      description:
        "What of its way out, `reaches`, `dnsServers` and IPv6 is not in effect, since the host has user-mode networks, and why; null when all can be.",
    }),
    /** Why the host has not put the last changes into effect yet; null when all are. */
    pending: z.string().nullable(),
    vmCount: z.number().int(),
    /** Addresses that no VM has and nobody reserved. */
    freeCount: z.number().int(),
  })
  .meta({ id: "Network" });
export type Network = z.infer<typeof networkSchema>;

/** The answer to a `DELETE` of something that a host has of its networks. */
export const networkRemovalSchema = z
  .object({
    pending: z.string().nullable().meta({ description: "Why the host still has it; null when it is gone there, too." }),
  })
  .meta({ id: "NetworkRemoval" });
export type NetworkRemoval = z.infer<typeof networkRemovalSchema>;

/** `GET /api/network-proposal`. */
export const networkProposalSchema = z
  .object({
    cidr: z.string().nullable().meta({ description: "A range that a new network can have; null: none is free." }),
  })
  .meta({ id: "NetworkProposal" });
export type NetworkProposal = z.infer<typeof networkProposalSchema>;

/** An address of a network that is not free. */
export const networkAddressSchema = z
  .object({
    ipv4: z.string(),
    /** Beside it, where the network has IPv6; null where it hasn't, and with user-mode networks. */
    ipv6: z.string().nullable(),
    kind: z.enum(["gateway", "vm", "reserved", "quarantined"]),
    vm: z.object({ id: z.number().int(), name: z.string() }).nullable(),
    note: z.string(),
    mac: z.string().nullable().meta({
      description: "Reserved with it by hand, also while a VM has both; null: none is.",
    }),
    /** For one of a VM that is gone: when it may be given out again. */
    freeAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "NetworkAddress" });
export type NetworkAddress = z.infer<typeof networkAddressSchema>;
