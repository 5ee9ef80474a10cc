import { z } from "zod";
import { run } from "./commands";
import type { NetworkNames } from "./names";

const expressionSchema = z.record(z.string(), z.unknown());
const listingSchema = z.object({
  nftables: z.array(
    z.object({
      chain: z
        .object({
          family: z.string(),
          table: z.string(),
          name: z.string(),
          type: z.string().optional(),
          hook: z.string().optional(),
          policy: z.string().optional(),
        })
        .optional(),
      rule: z
        .object({
          family: z.string(),
          table: z.string(),
          chain: z.string(),
          handle: z.number(),
          comment: z.string().optional(),
          expr: z.array(expressionSchema).default([]),
        })
        .optional(),
    }),
  ),
});
type Listing = z.infer<typeof listingSchema>["nftables"];

const families = ["ip", "ip6", "inet"];

/**
 * Firewalls of the host that drop what nobody allowed (Docker, ufw and firewalld leave such) drop our guests' traffic too, whatever our own table says: a
 * packet passes only if every table lets it. So such a chain gets two rules of ours, told by their comment.
 */
export async function openForeignFirewalls(names: NetworkNames): Promise<void> {
  const listing = await readListing();
  const lines = closedForwardChains(listing, names.hostLink).flatMap(({ family, table, name }) =>
    ["iifname", "oifname"].map(
      (end) =>
        `insert rule ${family} ${table} ${name} ${end} "${names.hostLink}" counter accept comment "${names.hostLink}"`,
    ),
  );
  if (lines.length > 0) await run(null, "nft", ["-f", "-"], `${lines.join("\n")}\n`);
}

/** Takes our rules out of the host's firewalls again. */
export async function leaveForeignFirewalls(names: NetworkNames): Promise<void> {
  const lines = (await readListing()).flatMap(({ rule }) =>
    rule?.comment === names.hostLink && rule.table !== names.hostLink
      ? [`delete rule ${rule.family} ${rule.table} ${rule.chain} handle ${rule.handle}`]
      : [],
  );
  if (lines.length > 0) await run(null, "nft", ["-f", "-"], `${lines.join("\n")}\n`);
}

async function readListing(): Promise<Listing> {
  const text = await run(null, "nft", ["--json", "--handle", "list", "ruleset"]);
  return listingSchema.parse(JSON.parse(text)).nftables;
}

/** Chains at the forward hook that end in a drop and have no rule of ours. Pure. */
function closedForwardChains(listing: Listing, ownName: string) {
  return listing.flatMap(({ chain }) => {
    if (chain === undefined || chain.type !== "filter" || chain.hook !== "forward") return [];
    if (!families.includes(chain.family) || chain.table === ownName) return [];
    const rules = listing.flatMap(({ rule }) =>
      rule?.family === chain.family && rule.table === chain.table && rule.chain === chain.name ? [rule] : [],
    );
    const last = rules.at(-1)?.expr ?? [];
    const endsInDrop = last.some((one) => "drop" in one || "reject" in one) && !last.some((one) => "match" in one);
    const isOpened = rules.some(({ comment }) => comment === ownName);
    return (chain.policy === "drop" || endsInDrop) && !isOpened ? [chain] : [];
  });
}
