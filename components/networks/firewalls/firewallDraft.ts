import type { FieldErrors } from "../../../lib/domain/errors";
import {
  type Firewall,
  type FirewallRuleInput,
  type WriteFirewall,
  withPrefixLength,
  writeFirewallSchema,
} from "../../../lib/domain/firewall";

/** A rule as it stands in the form: texts as typed. */
export interface RuleDraft {
  /** Tells rules apart while they are edited. */
  key: number;
  direction: FirewallRuleInput["direction"];
  protocol: FirewallRuleInput["protocol"];
  /** "22, 8000-8100"; empty for all. */
  ports: string;
  /** "10.0.0.0/8 fd00::/8"; empty, and no firewall chosen, for anybody. */
  cidrs: string;
  firewalls: number[];
}

export interface FirewallDraft {
  name: string;
  rules: RuleDraft[];
}

export function draftsOf(rules: readonly FirewallRuleInput[]): RuleDraft[] {
  return rules.map(({ direction, protocol, ports, cidrs, firewalls }, index) => ({
    ...{ key: index + 1, direction, protocol, firewalls },
    ports: ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", "),
    cidrs: cidrs.join(", "),
  }));
}

export function draftOf({ name, rules }: Firewall): FirewallDraft {
  return { name, rules: draftsOf(rules) };
}

/** A rule that lets in one TCP port, to be changed. */
export function newRule(rules: readonly RuleDraft[]): RuleDraft {
  const key = Math.max(0, ...rules.map((rule) => rule.key)) + 1;
  return { key, direction: "ingress", protocol: "tcp", ports: "", cidrs: "", firewalls: [] };
}

export function hasPorts({ protocol }: Pick<RuleDraft, "protocol">): boolean {
  return protocol === "tcp" || protocol === "udp";
}

/** The body of `POST /api/firewalls`; what is no number in a port is left for the schema to refuse. */
export function firewallRequestOf({ name, rules }: FirewallDraft): WriteFirewall {
  return { name: name.trim(), rules: rules.map(ruleOf) };
}

/** Whether two drafts ask for the same firewall. */
export function isSameDraft(one: FirewallDraft, other: FirewallDraft): boolean {
  return JSON.stringify(firewallRequestOf(one)) === JSON.stringify(firewallRequestOf(other));
}

function ruleOf(rule: RuleDraft): FirewallRuleInput {
  const { direction, protocol, ports, cidrs, firewalls } = rule;
  return {
    ...{ direction, protocol, firewalls },
    ports: hasPorts(rule) ? wordsOf(ports).map(rangeOfPorts) : [],
    cidrs: wordsOf(cidrs).map(withPrefixLength),
  };
}

/** What is wrong with the draft, by field: `name`, `rules.0.ports`. */
export function firewallProblems(draft: FirewallDraft): FieldErrors {
  const problems: FieldErrors = {};
  const result = writeFirewallSchema.safeParse(firewallRequestOf(draft));
  for (const { path } of result.error?.issues ?? []) {
    const [field, index, part] = path;
    if (field === "name") problems.name = "Give a name.";
    else problems[`rules.${String(index)}.${String(part)}`] ??= problemWords[String(part)] ?? "This can't be.";
  }
  return problems;
}

/** Those rules of a draft that are what they will be: without what is half typed. */
export function wholeRulesOf(draft: FirewallDraft): FirewallRuleInput[] {
  const problems = Object.keys(firewallProblems(draft));
  return draft.rules
    .filter((_, index) => !problems.some((field) => field.startsWith(`rules.${index}.`)))
    .map((rule) => ruleOf(rule));
}

const problemWords: Record<string, string> = {
  ports: "Give ports from 1 to 65535, such as 22, 8000-8100.",
  cidrs: "Give addresses or ranges, such as 10.0.0.0/8 or fd00::/8.",
};

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function rangeOfPorts(word: string): { from: number; to: number } {
  const [from = "", to = from] = word.split(/[-–]/);
  return { from: portOf(from), to: portOf(to) };
}

/** What is no port is -1, which no schema takes. */
function portOf(text: string): number {
  return /^\d{1,5}$/.test(text) ? Number(text) : -1;
}
