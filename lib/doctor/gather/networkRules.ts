import { z } from "zod";
import type { NetworkState } from "../../domain/hostNetwork";
import { guardTable } from "../../hypervisor/network/guardRules";
import { hostTable } from "../../hypervisor/network/hostRules";
import type { NetworkNames } from "../../hypervisor/network/names";
import { replacement } from "../../hypervisor/network/nftTable";
import { routingTable } from "../../hypervisor/network/routingRules";
import { uplinkAddressesOf } from "../../hypervisor/network/uplink";
import { detectUserScheme, workUidOf } from "../../system/machineUsers";
import type { RateFact, RulePart, TableFact } from "../snapshot";
import { tool } from "./tool";

const qdiscsSchema = z.array(
  z.object({
    dev: z.string().optional(),
    kind: z.string(),
    options: z.object({ rate: z.number().optional() }).optional(),
  }),
);

/**
 * The nft tables of an installation as they are, beside those that its state makes. Those are loaded in a network namespace that ends with the program, so
 * that nft writes both in the same words.
 */
export async function gatherTables(names: NetworkNames, state: NetworkState): Promise<TableFact[]> {
  const uplink = await uplinkAddressesOf(names);
  const workUid = workUidOf(await detectUserScheme());
  const tables = [
    { table: guardTable(names, state), namespace: names.namespace },
    { table: routingTable(state, uplink), namespace: names.namespace },
    { table: hostTable(names, state, uplink, workUid), namespace: null },
  ];
  const script = tables.map(({ table }) => replacement(table)).join("");
  const load = "nft --file - && nft --stateless list ruleset";
  const [expected, inside, outside] = await Promise.all([
    tool("unshare", ["--net", "sh", "-c", load], script),
    tool("nsenter", [`--net=${names.namespacePath}`, "nft", "--stateless", "list", "ruleset"]),
    tool("nft", ["--stateless", "list", "ruleset"]),
  ]);
  return tables.map(({ table, namespace }) => {
    const name = `${table.family} ${table.name}`;
    const found = namespace === null ? outside : inside;
    return { name, namespace, expected: partsOf(expected, name), found: partsOf(found, name) };
  });
}

/** What interfaces receive at most, as tc(8) tells it. */
export async function gatherRates({ namespacePath }: NetworkNames): Promise<RateFact[]> {
  const text = await tool("nsenter", [`--net=${namespacePath}`, "tc", "-json", "qdisc", "show"]);
  return qdiscsSchema
    .parse(JSON.parse(text || "[]"))
    .flatMap(({ dev: tap, kind, options }) =>
      kind === "tbf" && tap !== undefined && options?.rate !== undefined ? [{ tap, bytesPerSecond: options.rate }] : [],
    );
}

/** The sets, maps and chains of a table in what nft lists: rules in their order, elements each by itself, but for those that packets put there. Pure. */
export function partsOf(listing: string, table: string): RulePart[] {
  const body = listing.split(/^table /m).find((text) => text.startsWith(`${table} {`)) ?? "";
  return body.split(/^\t(?=(?:set|map|chain) )/m).flatMap((text) => {
    const [, name, content] = /^(\w+ \S+) \{\n([\s\S]*?)^\t\}/m.exec(text) ?? [];
    if (name === undefined || content === undefined) return [];
    if (name.startsWith("chain ")) return [{ name, lines: linesOf(content) }];
    const [definition = "", elements = ""] = content.split(/^\t\telements = \{([\s\S]*)\}/m);
    const isFilledByPackets = /^\t\tflags .*\bdynamic\b/m.test(definition);
    return [{ name, lines: [...linesOf(definition), ...(isFilledByPackets ? [] : linesOf(elements, ","))] }];
  });
}

function linesOf(text: string, separator = "\n"): string[] {
  return text
    .split(separator)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
