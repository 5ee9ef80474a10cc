import { expect, test } from "vitest";
import { partsOf } from "../gather/networkRules";
import type { RulePart, TableFact } from "../snapshot";
import { checkTables } from "./networkRules";

const chain = (...lines: string[]): RulePart => ({ name: "chain forward", lines });
const healthy = chain("type filter hook forward priority filter; policy drop;", "ct state new drop", "accept");

function told(change: Partial<TableFact>): string[] {
  const table = { name: "inet cumulus", namespace: "cumulus-x", expected: [healthy], found: [healthy], ...change };
  return checkTables({ tables: [table] } as Parameters<typeof checkTables>[0]).map(({ message }) => message);
}

test("nothing is told of a table that is as it should be, in whatever order nft has its elements", () => {
  expect(told({})).toEqual([]);
  const part = (name: string, ...elements: string[]) => ({ name, lines: ["type ipv4_addr . ipv4_addr", ...elements] });
  for (const name of ["set within4", "map ingress4"])
    expect(told({ expected: [part(name, "a", "b")], found: [part(name, "b", "a")] })).toEqual([]);
});

test.each<[what: string, change: Partial<TableFact>, told: RegExp]>([
  ["a table is gone", { found: [] }, /^The nft table inet cumulus in cumulus-x is gone, /],
  ["nothing can be compared", { expected: [] }, /can't be compared .* nft\(8\) and unshare\(1\) are installed/],
  ["a chain is gone", { found: [{ ...healthy, name: "chain input" }] }, /^The chain forward .* is gone: wait half/],
  ["a rule is there twice", { found: [chain(...healthy.lines, "accept")] }, /has "accept", which is not of Cumulus'/],
  [
    "rules are in another order",
    { found: [chain(healthy.lines[0] ?? "", "accept", "ct state new drop")] },
    /^The chain forward of the nft table inet cumulus in cumulus-x has its rules in another order: /,
  ],
  [
    "much is gone from the host's own",
    { namespace: null, expected: [chain("1", "2", "3", "4", "5")], found: [chain("1")] },
    /inet cumulus of the host lacks "2", "3", "4", 1 more: /,
  ],
])("it is told when %s", (_what, change, expected) => {
  expect(told(change)).toContainEqual(expect.stringMatching(expected));
});

const listing = `table inet other {
	chain forward {
		accept
	}
}
table inet cumulus {
	set links {
		type ifname . ifname
		elements = { "br1" . "br1",
			     "br1" . "uplink" }
	}

	set tcp4 {
		type ether_addr . ipv4_addr
		size 16384
		flags dynamic,timeout
		timeout 10s
		elements = { 52:54:00:00:00:01 . 192.168.0.2 expires 3s }
	}

	chain forward {
		ip saddr { 192.0.2.1,
			   192.0.2.2 } accept
		counter drop
	}
}
`;

test("a listing is read part by part, without what packets put into sets", () => {
  expect(partsOf(listing, "inet cumulus")).toEqual([
    { name: "set links", lines: ["type ifname . ifname", '"br1" . "br1"', '"br1" . "uplink"'] },
    { name: "set tcp4", lines: ["type ether_addr . ipv4_addr", "size 16384", "flags dynamic,timeout", "timeout 10s"] },
    { name: "chain forward", lines: ["ip saddr { 192.0.2.1,", "192.0.2.2 } accept", "counter drop"] },
  ]);
  expect(partsOf(listing, "inet third")).toEqual([]);
});
