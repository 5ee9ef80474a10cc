import { interfaceKey } from "../../domain/hostNetwork";
import type { Disagreement, NetworkFact, RulePart, Snapshot, TableFact } from "../snapshot";
import { differenceOfLines } from "./differenceOfLines";
import { comesBack, nameOfId, tapOf, tellOfNetworks as tell } from "./words";

/** Whose contents are told as senders, VM by VM. */
const toldAsSenders = new Set(["bridge cumulus set macs", "bridge cumulus set ipv4"]);

/** Each nft table is what the networks make it: firewalls, forwards, isolation, anti-spoofing, limits on what is sent. */
export function checkTables({ tables }: NetworkFact): Disagreement[] {
  return tables.flatMap((table) => {
    const { name, expected, found } = table;
    const where = placeOf(table);
    if (expected.length === 0) {
      const message = `The nft table ${name} ${where} can't be compared with what it should be: see that nft(8) and unshare(1) are installed, and that this is run as root in no narrower sandbox than the agent's.`;
      return [tell(`table ${name}`, message)];
    }
    if (found.length === 0) {
      const message = `The nft table ${name} ${where} is gone, and with it what it lets through and what it forbids: ${comesBack}`;
      return [tell(`table ${name}`, message)];
    }
    return unlikeParts(expected, found)
      .filter(({ part }) => !toldAsSenders.has(`${name} ${part}`))
      .map(({ part, difference }) =>
        tell(`rules ${name} ${part}`, `The ${part} of the nft table ${name} ${where} ${difference}: ${comesBack}`),
      );
  });
}

/** What interfaces may receive is what their limits say. */
export function checkLimits(snapshot: Snapshot, { written, rates, namespace }: NetworkFact): Disagreement[] {
  const known = new Set(written.networks.flatMap(({ hosts }) => hosts.map(interfaceKey)));
  const limits = written.limits.filter((limit) => known.has(interfaceKey(limit)));
  const rateOf = new Map(rates.map(({ tap, bytesPerSecond }) => [tap, bytesPerSecond]));
  const unlike = limits.flatMap((limit) => {
    const { vmId, ingressBytesPerSecond: asked } = limit;
    const tap = tapOf(limit);
    const actual = rateOf.get(tap);
    if (asked === null || actual === asked) return [];
    const what = actual === undefined ? "without a limit" : `${actual} bytes per second`;
    return [
      tell(
        `limit ${tap}`,
        `${nameOfId(snapshot, vmId)} shall receive at most ${asked} bytes per second by ${tap}, and tc in ${namespace} lets it receive ${what}: ${comesBack}`,
      ),
    ];
  });
  const limited = new Set(limits.filter((limit) => limit.ingressBytesPerSecond !== null).map(tapOf));
  const foreign = rates.filter(({ tap }) => !limited.has(tap));
  return [
    ...unlike,
    ...foreign.map(({ tap, bytesPerSecond }) =>
      tell(
        `limit ${tap}`,
        `tc in ${namespace} limits ${tap} to ${bytesPerSecond} bytes per second, which nobody asked for: ${comesBack}`,
      ),
    ),
  ];
}

function placeOf({ namespace }: TableFact): string {
  return namespace === null ? "of the host" : `in ${namespace}`;
}

function unlikeParts(expected: readonly RulePart[], found: readonly RulePart[]) {
  const foundLines = new Map(found.map(({ name, lines }) => [name, lines]));
  const names = new Set(expected.map(({ name }) => name));
  return [
    ...expected.flatMap(({ name, lines }) => {
      const difference = differenceOf(name, lines, foundLines.get(name));
      return difference === null ? [] : [{ part: name, difference }];
    }),
    ...found
      .filter(({ name }) => !names.has(name))
      .map(({ name }) => ({ part: name, difference: "is none that Cumulus makes" })),
  ];
}

/** In words; null when there is none. The order of rules counts, that of elements is nft's own. */
function differenceOf(part: string, expected: readonly string[], found: readonly string[] | undefined): string | null {
  if (found === undefined) return "is gone";
  const difference = differenceOfLines(expected, found);
  if (difference !== null) return difference;
  const isInOrder = !part.startsWith("chain ") || expected.every((line, index) => line === found[index]);
  return isInOrder ? null : "has its rules in another order";
}
