import { describe, expect, test } from "vitest";
import type { NetworkAddress } from "../../../lib/domain/network";
import { blocksOf, cellsOf, countStates, type MapBlock } from "./mapCells";

const taken = (ipv4: string, kind: NetworkAddress["kind"]): NetworkAddress => ({
  ...{ ipv4, ipv6: null, kind, note: "", mac: null, freeAt: null },
  vm: kind === "vm" ? { id: 1, name: "web" } : null,
});
const firstBlock = (cidr: string): MapBlock => {
  const [block] = blocksOf(cidr);
  if (!block) throw new Error("no block");
  return block;
};

describe("the address map", () => {
  test("shows a /24 at once, a larger network in parts of 256, a smaller one whole", () => {
    expect(blocksOf("10.0.0.0/24").map(({ label }) => label)).toEqual(["10.0.0.0 – 10.0.0.255"]);
    expect(blocksOf("10.0.0.0/22").map(({ label }) => label)).toEqual(
      [0, 1, 2, 3].map((third) => `10.0.${third}.0 – 10.0.${third}.255`),
    );
    expect(blocksOf("10.0.0.16/29").map(({ label }) => label)).toEqual(["10.0.0.16 – 10.0.0.23"]);
  });

  test("tells of every address what it is", () => {
    const network = { cidr: "10.0.0.0/29", gateway: "10.0.0.1", range: null };
    const addresses = [taken("10.0.0.1", "gateway"), taken("10.0.0.2", "vm"), taken("10.0.0.4", "reserved")];
    const cells = cellsOf(network, addresses, firstBlock(network.cidr));
    expect(cells.map(({ state }) => state)).toEqual([
      ...["none", "gateway", "vm", "free"],
      ...["reserved", "free", "none", "none"],
    ]);
    expect(cells[2]?.address?.vm?.name).toBe("web");
    expect(countStates(cells)).toEqual({ none: 3, gateway: 1, vm: 1, free: 2, reserved: 1 });
  });

  test("knows no address of its own but the gateway's and the name server's, wherever the gateway is", () => {
    const network = { cidr: "10.0.0.0/29", gateway: "10.0.0.6", range: null };
    const cells = cellsOf(network, [taken("10.0.0.6", "gateway")], firstBlock(network.cidr));
    expect(cells.map(({ state }) => state)).toEqual([
      ...["none", "free", "free", "free"],
      ...["free", "none", "gateway", "none"],
    ]);
  });

  test("tells which addresses VMs are given by themselves", () => {
    const network = { cidr: "10.0.0.0/29", gateway: "10.0.0.1", range: { first: "10.0.0.3", last: "10.0.0.4" } };
    const automatic = cellsOf(network, [], firstBlock(network.cidr)).filter(({ isAutomatic }) => isAutomatic);
    expect(automatic.map(({ ipv4 }) => ipv4)).toEqual(["10.0.0.3", "10.0.0.4"]);
  });
});
