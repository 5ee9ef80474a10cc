import { basename } from "node:path";
import type { ChecksumAlgorithm, PublishedChecksum } from "../../domain/catalogue";
import { CumulusError } from "../../domain/errors";
import { type FetchRules, fetchText } from "./request";

/** What a file must hash to. */
export interface Checksum {
  algorithm: ChecksumAlgorithm;
  /** Lower case. */
  hex: string;
}

/** Far more than any maker's list of checksums. */
const maxListBytes = 4 * 1024 ** 2;

const digits: Record<ChecksumAlgorithm, number> = { sha256: 64, sha512: 128 };

/** "sha256:…", as `checksumSchema` has let it through. */
export function parseChecksum(text: string): Checksum {
  const [algorithm, hex = ""] = text.split(":");
  return { algorithm: algorithm === "sha512" ? "sha512" : "sha256", hex };
}

export function checksumText({ algorithm, hex }: Checksum): string {
  return `${algorithm}:${hex}`;
}

/**
 * The checksum that the maker publishes for the image at `imageUrl`.
 * @param listUrl where the list is, as `published` has it or at a mirror
 * @throws `unavailable` when the list has none for it
 */
export async function fetchPublishedChecksum(
  imageUrl: string,
  listUrl: URL,
  published: PublishedChecksum,
  rules: FetchRules,
  signal: AbortSignal,
): Promise<Checksum> {
  const name = decodeURIComponent(basename(new URL(imageUrl).pathname));
  const hex = findChecksum(await fetchText(listUrl, maxListBytes, rules, signal), name, published);
  if (hex) return { algorithm: published.algorithm, hex };
  throw new CumulusError(
    "unavailable",
    `The list of checksums at ${listUrl.href} has none for ${name}. Its maker may be publishing a new build right now: try again later.`,
  );
}

/** The hash of the file `name` in a list; undefined when it isn't there. Pure. */
export function findChecksum(
  list: string,
  name: string,
  { algorithm, format }: Pick<PublishedChecksum, "algorithm" | "format">,
): string | undefined {
  const hash = `([0-9a-fA-F]{${digits[algorithm]}})`;
  if (format === "single") return new RegExp(`^\\s*${hash}(?![0-9a-fA-F])`).exec(list)?.[1]?.toLowerCase();
  const styles = [
    new RegExp(`^(?<hash>${hash}) [ *](?<name>.+)$`),
    new RegExp(`^${algorithm.toUpperCase()} \\((?<name>.+)\\) = (?<hash>${hash})$`),
  ];
  const lines = list.split(/\r?\n/).map((text) => text.trim());
  const found = lines.flatMap((line) => styles.map((style) => style.exec(line)?.groups));
  return found.find((groups) => groups?.name?.replace(/^\.\//, "") === name)?.hash?.toLowerCase();
}
