/** An nft table as data (nft(8)): what is in it is compared as text, so each element and rule is written in one way only. */
export interface NftTable {
  family: "bridge" | "inet";
  name: string;
  sets: Record<string, NftSet>;
  chains: Record<string, NftChain>;
}

export interface NftSet {
  kind: "set" | "map";
  /** As `type` takes it: "ifname . ether_addr", "ipv4_addr : verdict". */
  type: string;
  /** What else its definition says: "flags interval;" for one that holds ranges. Empty for most. */
  options: string;
  /** A map's element is `key : value`. */
  elements: string[];
}

export interface NftChain {
  /** `type … hook … priority …; policy …;` of a base chain; null: others jump to it. */
  hook: string | null;
  rules: string[];
}

export function setOf(type: string, elements: string[], options = ""): NftSet {
  return { kind: "set", type, options, elements };
}

export function mapOf(type: string, elements: string[], options = ""): NftSet {
  return { kind: "map", type, options, elements };
}

/** A script that makes the table as it is told, whatever it was; one transaction, so that no packet sees anything between. Pure. */
export function replacement(table: NftTable): string {
  const head = `table ${table.family} ${table.name}`;
  return `${head}\ndelete ${head}\n${head} {\n${setsOf(table)}${chainsOf(table)}}\n`;
}

/**
 * A script that makes `before` into `after` and touches nothing that is the same in both: empty when all is. One transaction. Null when only a replacement
 * does. Pure.
 */
export function difference(before: NftTable, after: NftTable): string | null {
  if (before.family !== after.family || before.name !== after.name || hasRedefined(before, after)) return null;
  const at = `${after.family} ${after.name}`;
  const added: string[] = [];
  const filled: string[] = [];
  const emptied: string[] = [];
  const removed: string[] = [];
  for (const [name, set] of Object.entries(after.sets)) {
    const old = before.sets[name];
    if (old === undefined) added.push(`add ${set.kind} ${at} ${name} { ${definitionOf(set)} }`);
    const gone = without(old?.elements ?? [], set.elements);
    const come = without(set.elements, old?.elements ?? []);
    if (gone.length > 0) emptied.push(`delete element ${at} ${name} { ${gone.map(keyOf(set)).join(", ")} }`);
    if (come.length > 0) filled.push(`add element ${at} ${name} { ${come.join(", ")} }`);
  }
  const rules: string[] = [];
  for (const [name, chain] of Object.entries(after.chains)) {
    const old = before.chains[name];
    if (old === undefined) added.push(`add chain ${at} ${name}${chain.hook === null ? "" : ` { ${chain.hook} }`}`);
    if (old !== undefined && isSame(old.rules, chain.rules)) continue;
    if (old !== undefined) rules.push(`flush chain ${at} ${name}`);
    rules.push(...chain.rules.map((rule) => `add rule ${at} ${name} ${rule}`));
  }
  const lost = Object.keys(before.chains).filter((name) => after.chains[name] === undefined);
  // All are emptied before any goes: one may jump to another.
  removed.push(...lost.map((name) => `flush chain ${at} ${name}`), ...lost.map((name) => `delete chain ${at} ${name}`));
  for (const [name, set] of Object.entries(before.sets)) {
    if (after.sets[name] === undefined) removed.push(`delete ${set.kind} ${at} ${name}`);
  }
  const lines = [...added, ...rules, ...emptied, ...filled, ...removed];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function hasRedefined(before: NftTable, after: NftTable): boolean {
  const sets = Object.entries(after.sets).some(([name, set]) => {
    const old = before.sets[name];
    return old !== undefined && (old.kind !== set.kind || definitionOf(old) !== definitionOf(set));
  });
  return sets || Object.entries(after.chains).some(([name, { hook }]) => (before.chains[name]?.hook ?? hook) !== hook);
}

function setsOf({ sets }: NftTable): string {
  return Object.entries(sets)
    .map(([name, set]) => {
      const elements = set.elements.length > 0 ? ` elements = { ${set.elements.join(", ")} };` : "";
      return `${set.kind} ${name} { ${definitionOf(set)}${elements} }\n`;
    })
    .join("");
}

function chainsOf({ chains }: NftTable): string {
  return Object.entries(chains)
    .map(
      ([name, { hook, rules }]) => `chain ${name} {\n${[...(hook === null ? [] : [hook]), ...rules].join("\n")}\n}\n`,
    )
    .join("");
}

function definitionOf({ type, options }: NftSet): string {
  return `type ${type}; ${options}`;
}

/** What names an element: all of it in a set, the part before the value in a map. */
function keyOf({ kind }: NftSet): (element: string) => string {
  return (element) => (kind === "map" ? (element.split(" : ")[0] ?? element) : element);
}

function without(all: readonly string[], those: readonly string[]): string[] {
  const known = new Set(those);
  return all.filter((one) => !known.has(one));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((rule, index) => rule === other[index]);
}
