import type { Network } from "../../lib/domain/network";

/** A network for tests: `default`, but for what the test says. */
export function exampleNetwork(changes: Partial<Network> = {}): Network {
  return {
    id: 1,
    name: "default",
    description: "",
    cidr: "192.168.0.0/24",
    gateway: "192.168.0.1",
    domain: "default.internal",
    dnsServers: [],
    outside: "nat",
    reaches: [],
    ipv6Cidr: null,
    range: null,
    driver: "bridge",
    whyNot: null,
    pending: null,
    vmCount: 0,
    freeCount: 252,
    ...changes,
  };
}
