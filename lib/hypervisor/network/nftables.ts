import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { readTextIfThere, writeFileAtomic } from "../../system/files";
import { type Namespace, run } from "./commands";
import { difference, type NftTable, replacement } from "./nftTable";

const recordSchema = z.object({
  /** Of what nft listed after the table was applied. */
  listingSha256: z.string(),
  table: z.object({
    family: z.enum(["bridge", "inet"]),
    name: z.string(),
    sets: z.record(
      z.string(),
      z.object({
        kind: z.enum(["set", "map"]),
        type: z.string(),
        options: z.string(),
        elements: z.array(z.string()),
      }),
    ),
    chains: z.record(z.string(), z.object({ hook: z.string().nullable(), rules: z.array(z.string()) })),
  }),
});
type Record = z.infer<typeof recordSchema>;

/**
 * nft tables of ours and what they were last made to be. As long as a table still lists as it did then, a change touches only what differs; one that
 * somebody else changed, or flushed, is made anew.
 */
export class Nftables {
  private readonly records = new Map<string, Record>();

  /** @param folder where the records lie: it goes with a reboot, as the tables do */
  constructor(private readonly folder: string) {}

  /** Makes a table what it shall be. Answers whether that took a change. */
  async apply(namespace: Namespace, table: NftTable): Promise<boolean> {
    const record = await this.recordOf(table);
    const listed = await listingSha256(namespace, table);
    const isUntouched = record !== undefined && listed === record.listingSha256;
    const script = (isUntouched ? difference(record.table, table) : null) ?? replacement(table);
    if (script === "") return false;
    await run(namespace, "nft", ["-f", "-"], script);
    await this.keep({ table, listingSha256: await listingSha256(namespace, table) });
    return true;
  }

  private async recordOf(table: NftTable): Promise<Record | undefined> {
    const known = this.records.get(keyOf(table));
    if (known !== undefined) return known;
    const text = await readTextIfThere(this.pathOf(table));
    try {
      return recordSchema.parse(JSON.parse(text ?? ""));
    } catch {
      return undefined;
    }
  }

  private async keep(record: Record): Promise<void> {
    this.records.set(keyOf(record.table), record);
    await writeFileAtomic(this.pathOf(record.table), JSON.stringify(record));
  }

  private pathOf(table: NftTable): string {
    return join(this.folder, `nft-${keyOf(table)}.json`);
  }
}

function keyOf({ family, name }: NftTable): string {
  return `${family}-${name}`;
}

/** Without counters (`--stateless`) and what packets put into sets; empty for a table that isn't there. */
async function listingSha256(namespace: Namespace, { family, name }: NftTable): Promise<string> {
  // What keeps nft from listing a table that is there keeps it from making it anew, too, and is told then.
  const listing = await run(namespace, "nft", ["--stateless", "list", "table", family, name]).catch(() => "");
  // An empty set has not even the line.
  const lasting = listing.replaceAll(/(flags dynamic[^{}]*?)\s*elements = \{[^}]*\}/g, "$1");
  return lasting === "" ? "" : createHash("sha256").update(lasting).digest("hex");
}
