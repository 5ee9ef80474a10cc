import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { host, network } from "../testing/lab/labNetworks";
import { run } from "./commands";
import { guardTable } from "./guardRules";
import { networkNames } from "./names";
import { Nftables } from "./nftables";

const namespace = `nft-${randomBytes(3).toString("hex")}`;
const path = `/run/netns/${namespace}`;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  await execa("ip", ["netns", "add", namespace]);
});
afterAll(async () => {
  await execa("ip", ["netns", "delete", namespace]);
  await rm(folder, { recursive: true });
});

const nft = (...args: string[]) => run(path, "nft", args);

test("a table that packets fill a set of, or have filled before, is as it was made; one with another rule is not", async () => {
  const one = network(1, [host(1, 1), host(2, 1)]);
  const table = guardTable(networkNames("/run/cumulus/a-test"), { networks: [one], firewalls: [], limits: [] });
  const nftables = new Nftables(folder);
  expect(await nftables.apply(path, table)).toBe(true);
  const set = ["bridge", table.name, "udp4"];
  await nft("add", "element", ...set, "{ 52:54:00:00:01:01 . 192.168.1.2 . 192.168.1.3 . 9 . 9 timeout 1h }");
  expect(await nft("list", "set", ...set)).toContain("192.168.1.2");
  expect(await nftables.apply(path, table)).toBe(false);
  await nft("flush", "set", ...set);
  expect(await nftables.apply(path, table)).toBe(false);
  await nft("flush", "chain", "bridge", table.name, "shortcut4");
  expect(await nftables.apply(path, table)).toBe(true);
});
