import { expect, test } from "vitest";
import { type HostNetwork, networkStateSchema, noNetworks, stateOfHosts } from "./hostNetwork";

const network = (id: number, change: Partial<HostNetwork> = {}): HostNetwork => ({
  id,
  name: `net-${id}`,
  cidr: `192.168.${id}.0/24`,
  gateway: `192.168.${id}.1`,
  domain: `net-${id}.internal`,
  dnsServers: [],
  outside: "nat",
  reaches: [],
  ipv6: null,
  hosts: [],
  forwards: [],
  ...change,
});
const host = { vmId: 1, interfaceId: "net0", mac: "52:54:00:00:00:01", ipv4: "192.168.1.2", ipv6: null, name: "web" };
const parse = (...networks: HostNetwork[]) => networkStateSchema.safeParse({ networks, firewalls: [], limits: [] });

test("addresses have one spelling", () => {
  const ipv6 = { cidr: "FD00:0:0:1:0::9/64", gateway: "fd00:0:0:1:0:0:0:1" };
  const [first] = parse(network(1, { cidr: "192.168.1.9/24", ipv6 })).data?.networks ?? [];
  expect(first).toMatchObject({ cidr: "192.168.1.0/24", ipv6: { cidr: "fd00:0:0:1::/64", gateway: "fd00:0:0:1::1" } });
});

test.each<[what: string, networks: HostNetwork[], message: RegExp]>([
  [
    "ranges that overlap",
    [network(1), network(2, { cidr: "192.168.0.0/16" })],
    /192\.168\.1\.0\/24 and 192\.168\.0\.0\/16 overlap/,
  ],
  ["a network twice", [network(1), network(1, { cidr: "10.0.0.0/8" })], /network id 1 is given twice/],
  [
    "a MAC twice",
    [network(1, { hosts: [host, { ...host, vmId: 2, ipv4: "192.168.1.3" }] })],
    /MAC 52:54:00:00:00:01 is given twice/,
  ],
  [
    "an address twice",
    [network(1, { hosts: [host, { ...host, vmId: 2, mac: "52:54:00:00:00:02" }] })],
    /address 192\.168\.1\.2 is given twice/,
  ],
  [
    "an interface twice",
    [network(1, { hosts: [host, { ...host, ipv4: "192.168.1.3", mac: "52:54:00:00:00:02" }] })],
    /interface 1\/net0 is given twice/,
  ],
])("%s is refused", (_what, networks, message) => {
  expect(parse(...networks).error?.message).toMatch(message);
});

test.each<[what: string, change: Partial<HostNetwork>]>([
  ["a name with a newline", { hosts: [{ ...host, name: "web\nserver=/x/" }] }],
  ["a domain with a comma", { domain: "a,b" }],
  ["a MAC with more", { hosts: [{ ...host, mac: "52:54:00:00:00:01 accept" }] }],
  ["an address with more", { hosts: [{ ...host, ipv4: "192.168.1.2; drop" }] }],
])("%s never comes to a configuration", (_what, change) => {
  expect(parse(network(1, change)).success).toBe(false);
});

test("of a state, what is about some interfaces is their networks, forwards, firewalls and limits", () => {
  const other = { ...host, vmId: 2, mac: "52:54:00:00:00:02", ipv4: "192.168.1.3", name: "db" };
  const far = { ...host, vmId: 3, mac: "52:54:00:00:00:03", ipv4: "192.168.2.2", name: "far" };
  const forward = { hostAddress: "0.0.0.0", hostPort: 80, protocol: "tcp" as const, ipv4: host.ipv4, port: 80 };
  const forwards = [forward, { ...forward, hostPort: 81, ipv4: other.ipv4 }];
  const one = network(1, { hosts: [host, other], reaches: [2], forwards });
  const firewalls = [1, 2].map((vmId) => ({ vmId, interfaceId: "net0", ingress: [], egress: null }));
  const limits = [2, 1].map((vmId) => ({
    ...{ vmId, interfaceId: "net0", ingressBytesPerSecond: 1000, egressBytesPerSecond: null },
  }));
  const state = { networks: [one, network(2, { cidr: "192.168.2.0/24", hosts: [far] })], firewalls, limits };
  const kept = { networks: [{ ...one, hosts: [host], reaches: [], forwards: [forward] }] };
  const ofFirst = { ...kept, firewalls: [firewalls[0]], limits: [limits[1]] };
  expect(stateOfHosts(state, [host])).toEqual(ofFirst);
  expect(stateOfHosts(state, [{ ...host, ipv4: "192.168.1.9" }])).toEqual(noNetworks);
});
