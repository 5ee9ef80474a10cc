import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { Lab } from "../testing/lab/lab";
import { host, network } from "../testing/lab/labNetworks";
import { uplinkName } from "./names";

const one = network(1, [host(1, 1)]);
const limit = { vmId: 1, interfaceId: "net0", ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: null };
const state: NetworkState = { networks: [one], firewalls: [], limits: [limit] };

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
});
afterAll(() => lab.close());

/** What the agent's log says was otherwise than it had made it, since it was asked last. */
let heard = 0;
async function told(): Promise<string[]> {
  const warnings = await lab.ask<string[]>("warnings");
  const since = warnings.slice(heard);
  heard = warnings.length;
  return since.flatMap((line) => /^the networks were not as they should be.*?(\[.*\])/.exec(line)?.[1] ?? []);
}

const ofTheNamespace: [what: string, ip: string, told: string][] = [
  ["the way out", "route delete default", '["links"]'],
  ["an address of the way out", `address flush dev ${uplinkName} scope global`, '["links"]'],
  ["a tap", "link set dev t1n0 down", '["links"]'],
];

test.each(ofTheNamespace)("that %s was put back is told", async (_what, line, words) => {
  await lab.inner.ip(line);
  await lab.apply(state);
  expect(await told()).toEqual([words]);
  await lab.apply(state);
  expect(await told()).toEqual([]);
});

test("that a limit was put back, or a route taken away, is told", async () => {
  await lab.inner.run("tc", ["qdisc", "delete", "dev", "t1n0", "root"]);
  await lab.apply(state);
  expect(await told()).toEqual(['["limits"]']);
  const { hostLink } = lab.names;
  const via = /via (\S+)/.exec(await lab.host.run("ip", ["route", "show", one.cidr]))?.[1];
  await lab.host.ip(`route add 192.168.77.0/24 via ${via} dev ${hostLink}`);
  await lab.apply(state);
  expect(await told()).toEqual(['["routes"]']);
});

test("a route that was withheld for the host's own, and comes when that goes, is no repair", async () => {
  await lab.host.ip(
    "link add rival type veth peer name other",
    "address add 192.168.1.77/24 dev rival",
    "link set dev rival up",
  );
  await lab.apply(state);
  expect(await lab.ask("driver")).toMatchObject({ warning: expect.stringContaining("rival") });
  await told();
  await lab.host.ip("link delete dev rival");
  await lab.apply(state);
  expect(await lab.ask("driver")).toMatchObject({ warning: null });
  expect(await lab.host.run("ip", ["route", "show", one.cidr])).toContain(lab.names.hostLink);
  expect(await told()).toEqual([]);
});
