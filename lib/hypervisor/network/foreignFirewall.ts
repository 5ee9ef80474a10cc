import { z } from "zod";
import { messageOf } from "../../domain/errors";
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

/** How the host's own firewalls stand to our guests. */
export interface SeenFirewalls {
  /** Chains that drop what guests send and get, for they lack our rules. */
  closed: string[];
  /** Commands, each of which would remove a rule of ours. */
  removals: string[];
  /** Firewalls that can't be looked at, and why. */
  unseen: { firewall: string; reason: string }[];
}

const families = ["ip", "ip6", "inet"];

/**
 * Firewalls of the host that drop what nobody allowed (Docker, ufw and firewalld leave such) drop our guests' traffic too, whatever our own table says: a
 * packet passes only if every table lets it. So such a chain gets two rules of ours, told by their comment.
 * @param isHostAsked whether the host itself is asked for names, and so is to take in what our own table lets in
 */
export async function openForeignFirewalls(names: NetworkNames, isHostAsked: boolean): Promise<void> {
  const listing = await readListing();
  const link = names.hostLink;
  const opened = (hook: string, ends: string[]) =>
    closedChains(listing, link, hook).flatMap(({ family, table, name }) =>
      ends.map((end) => `insert rule ${family} ${table} ${name} ${end} "${link}" counter accept comment "${link}"`),
    );
  const lines = [...opened("forward", ["iifname", "oifname"]), ...(isHostAsked ? opened("input", ["iifname"]) : [])];
  if (lines.length > 0) await run(null, "nft", ["-f", "-"], `${lines.join("\n")}\n`);
}

/** Takes our rules out of the host's firewalls again. */
export async function leaveForeignFirewalls(names: NetworkNames): Promise<void> {
  const lines = removals(await readListing(), names.hostLink);
  if (lines.length > 0) await run(null, "nft", ["-f", "-"], `${lines.join("\n")}\n`);
}

/** What is seen of our rules in the host's firewalls, of which nothing is changed. Never rejects. */
export async function seeForeignFirewalls({ hostLink }: NetworkNames): Promise<SeenFirewalls> {
  const listing = await readListing().catch(messageOf);
  if (typeof listing === "string") return { closed: [], removals: [], unseen: [{ firewall: "nft", reason: listing }] };
  return {
    closed: closedChains(listing, hostLink, "forward").map(
      ({ family, table, name }) => `chain ${name} of the nft table ${family} ${table}`,
    ),
    removals: removals(listing, hostLink).map((line) => `nft ${line}`),
    unseen: [],
  };
}

async function readListing(): Promise<Listing> {
  const text = await run(null, "nft", ["--json", "--handle", "list", "ruleset"]);
  return listingSchema.parse(JSON.parse(text)).nftables;
}

/** What removes our rules, each by itself. Pure. */
function removals(listing: Listing, ownName: string): string[] {
  return listing.flatMap(({ rule }) =>
    rule?.comment === ownName && rule.table !== ownName
      ? [`delete rule ${rule.family} ${rule.table} ${rule.chain} handle ${rule.handle}`]
      : [],
  );
}

/** Chains at a hook that end in a drop and have no rule of ours. Pure. */
function closedChains(listing: Listing, ownName: string, hook: string) {
  return listing.flatMap(({ chain }) => {
    if (chain === undefined || chain.type !== "filter" || chain.hook !== hook) return [];
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
