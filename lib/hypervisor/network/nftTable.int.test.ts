import { randomBytes } from "node:crypto";
import { execa } from "execa";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FirewallRule, type NetworkState, networkStateSchema } from "../../domain/hostNetwork";
import { host, network } from "../testing/lab/labNetworks";
import { run } from "./commands";
import { guardTable } from "./guardRules";
import { hostTable } from "./hostRules";
import { networkNames } from "./names";
import { difference, type NftTable, replacement } from "./nftTable";
import { routingTable } from "./routingRules";
import { chooseUplinkAddresses } from "./uplinkAddresses";

const namespace = `nft-${randomBytes(3).toString("hex")}`;
const path = `/run/netns/${namespace}`;
const names = networkNames("/run/cumulus/a-test");
const uplink = chooseUplinkAddresses(names, []);

beforeAll(() => execa("ip", ["netns", "add", namespace]));
afterAll(() => execa("ip", ["netns", "delete", namespace]));

const port = fc.integer({ min: 1, max: 65_535 });
const ports = fc.array(
  fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
  { minLength: 1, maxLength: 4 },
);
const cidrs = fc.array(
  fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`),
    fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 128 })).map(([ip, bits]) => `${ip}/${bits}`),
  ),
  { maxLength: 4 },
);
const rule: fc.Arbitrary<FirewallRule> = fc.oneof(
  fc.record({ protocol: fc.constantFrom("tcp", "udp"), ports: fc.option(ports), cidrs }),
  fc.record({ protocol: fc.constantFrom("icmp", "any"), ports: fc.constant(null), cidrs }),
);
const rules = fc.option(fc.array(rule, { maxLength: 4 }));
const rate = fc.option(fc.integer({ min: 1000, max: 10 ** 9 }));

const states: fc.Arbitrary<NetworkState> = fc
  .record({
    sizes: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    outside: fc.constantFrom("nat", "routed", "none"),
    reaches: fc.uniqueArray(fc.integer({ min: 1, max: 3 })),
    forwards: fc.uniqueArray(port, { maxLength: 3 }),
    firewalls: fc.array(fc.record({ ingress: rules, egress: rules }), { maxLength: 4 }),
    limits: fc.array(fc.record({ ingressBytesPerSecond: rate, egressBytesPerSecond: rate }), { maxLength: 4 }),
  })
  .map(({ sizes, outside, reaches, forwards, firewalls, limits }) => {
    const networks = sizes.map((size, index) => {
      const hosts = Array.from({ length: size }, (_, place) => host(index * 10 + place + 1, index + 1));
      const lead = forwards.map((hostPort, place) => ({
        hostAddress: place === 0 ? "0.0.0.0" : "203.0.113.2",
        hostPort,
        protocol: "tcp" as const,
        ipv4: `192.168.${index + 1}.2`,
        port: 22,
      }));
      return network(index + 1, hosts, { outside, reaches, forwards: index === 0 ? lead : [] });
    });
    const links = networks.flatMap(({ hosts }) => hosts);
    const of = <T>(list: T[]) =>
      list.flatMap((one, index) => (links[index] ? [{ vmId: links[index].vmId, interfaceId: "net0", ...one }] : []));
    return networkStateSchema.parse({ networks, firewalls: of(firewalls), limits: of(limits) });
  });

const tables: [name: string, make: (state: NetworkState) => NftTable][] = [
  ["guard", (state) => guardTable(names, state)],
  ["routing", (state) => routingTable(state, uplink)],
  ["host", (state) => hostTable(names, state, uplink, 1000)],
];

const load = (script: string) => run(path, "nft", ["-f", "-"], script);
/** Chains come in the order in which they were added. */
const listed = async ({ family, name }: NftTable) =>
  (await run(path, "nft", ["--stateless", "list", "table", family, name]))
    .split(/^\t(?=chain|set|map)/m)
    .map((part) => part.replace(/\n}\n$/, "\n").trimEnd())
    .sort();

test.each(tables)(
  "nft takes the %s rules of any state, and a change by difference ends as a replacement does",
  async (_name, make) => {
    await fc.assert(
      fc.asyncProperty(states, states, async (before, after) => {
        const [old, wanted] = [make(before), make(after)];
        await load(replacement(wanted));
        const expected = await listed(wanted);
        await load(replacement(old));
        const script = difference(old, wanted);
        expect(script).not.toBeNull();
        await load(script ?? "");
        expect(await listed(wanted)).toEqual(expected);
        expect(difference(wanted, make(after))).toBe("");
      }),
      { numRuns: 15 },
    );
  },
);
