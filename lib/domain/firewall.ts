import * as z from "zod";
import { isIpv4 } from "./cidrs";
import { lineSchema } from "./humanText";
import { portSchema } from "./port";

const nameSchema = lineSchema(60);

/** A single address is a range of one. */
export function withPrefixLength(word: string): string {
  if (word.includes("/")) return word;
  return `${word}/${isIpv4(word) ? 32 : 128}`;
}

const peersSchema = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], "Give an address, or a range such as 10.0.0.0/8.")
  .transform(withPrefixLength);

/** One thing that is let through, in one direction as the VM sees it. What answers it passes too. */
export const ruleSchema = z
  .strictObject({
    direction: z.enum(["ingress", "egress"]),
    protocol: z.enum(["tcp", "udp", "icmp", "any"]),
    /** Ports of whoever is connected to; none: all of them. */
    ports: z
      .array(
        z
          .strictObject({ from: portSchema, to: portSchema })
          .refine(({ from, to }) => from <= to, "A range of ports goes upwards."),
      )
      .max(32)
      .default([]),
    /** The other side's ranges, or single addresses, IPv4 or IPv6; none of these and of `firewalls`: anybody. */
    cidrs: z.array(peersSchema).max(64).default([]),
    /** Ids of firewalls: the VMs that have them are the other side. */
    firewalls: z.array(z.number().int().positive()).max(16).default([]),
  })
  .refine(({ protocol, ports }) => ports.length === 0 || protocol === "tcp" || protocol === "udp", {
    message: "Only tcp and udp have ports.",
    path: ["ports"],
  });
export type FirewallRuleInput = z.infer<typeof ruleSchema>;

/**
 * `POST /api/firewalls`. A VM that has one or more lets in what fits a rule of one of them, and nothing else, so nothing when there is no rule. It lets everything out until a
 * rule of one of them is about that: then what fits such a rule, and nothing else.
 */
export const writeFirewallSchema = z
  .strictObject({ name: nameSchema, rules: z.array(ruleSchema).max(64) })
  .meta({ id: "WriteFirewall" });
export type WriteFirewall = z.infer<typeof writeFirewallSchema>;

export const firewallSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    rules: z.array(ruleSchema),
    version: z.string().meta({ description: "Another after each change of the name or a rule: `If-Match` takes it." }),
    /** Live VMs that have it. */
    vms: z.array(z.object({ id: z.number().int(), name: z.string() })),
    /** Why the host has not put the last changes into effect yet; null when all are. */
    pending: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Firewall" });
export type Firewall = z.infer<typeof firewallSchema>;

/** People may log in; the VM may connect anywhere. */
export const sshOnlyRules: readonly FirewallRuleInput[] = [
  { direction: "ingress", protocol: "tcp", ports: [{ from: 22, to: 22 }], cidrs: [], firewalls: [] },
];

const webRules: readonly FirewallRuleInput[] = [
  ...sshOnlyRules,
  { direction: "ingress", protocol: "icmp", ports: [], cidrs: [], firewalls: [] },
  {
    direction: "ingress",
    protocol: "tcp",
    ports: [
      { from: 80, to: 80 },
      { from: 443, to: 443 },
    ],
    cidrs: [],
    firewalls: [],
  },
];

export const firewallPresetSchema = z
  .object({ name: z.string(), rules: z.array(ruleSchema) })
  .meta({ id: "FirewallPreset" });
export type FirewallPreset = z.infer<typeof firewallPresetSchema>;

/** Rules to begin with. */
export const firewallPresets: readonly FirewallPreset[] = [
  { name: "SSH only", rules: [...sshOnlyRules] },
  { name: "SSH, ping and web", rules: [...webRules] },
];

/** A rule in words: "Let in TCP 22, 8000–8100 from 10.0.0.0/8". */
export function ruleInWords(rule: FirewallRuleInput, nameOf: (firewallId: number) => string): string {
  const ports = rule.ports.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
  const what = rule.protocol === "any" ? "everything" : protocolInWords(rule.protocol, ports);
  const others = [...rule.cidrs, ...rule.firewalls.map((id) => `VMs with ${nameOf(id)}`)];
  const whom = others.length > 0 ? others.join(", ") : "anybody";
  return rule.direction === "ingress" ? `Let in ${what} from ${whom}` : `Let out ${what} to ${whom}`;
}

function protocolInWords(protocol: "tcp" | "udp" | "icmp", ports: string): string {
  const name = protocol.toUpperCase();
  if (ports !== "") return `${name} ${ports}`;
  return protocol === "icmp" ? name : `all ${name}`;
}

/** Whether a rule lets everything through, so that others of its direction say nothing. */
export function letsAllThrough({ protocol, cidrs, firewalls }: FirewallRuleInput): boolean {
  return protocol === "any" && cidrs.length === 0 && firewalls.length === 0;
}
