import { expect, test } from "vitest";
import { quarantineMs } from "../../control/networks/addresses";
import { host, network } from "../testing/lab/labNetworks";
import { dhcpHostsFile, dnsmasqConfig, hostsFile, namedNetworks, serversFile } from "./dnsmasqConfig";
import { parseLeases } from "./status";

const files = { hosts: "/r/hosts", dhcpHosts: "/r/dhcp-hosts", servers: "/r/servers", leases: "/r/leases" };
const one = network(1, [host(1, 1)]);
const two = network(2, []);

test("another guest changes no configuration, which would take a restart", () => {
  const more = network(1, [host(1, 1), host(2, 1)], { reaches: [2], dnsServers: ["192.0.2.1"] });
  expect(dnsmasqConfig(more, files)).toBe(dnsmasqConfig(one, files));
});

test("names, addresses and MACs are the network's", () => {
  expect(hostsFile(one, [])).toBe("192.168.1.2 vm1.net-1.internal vm1\nfd00:0:0:1::2 vm1.net-1.internal vm1\n");
  expect(dhcpHostsFile(one)).toBe("52:54:00:00:01:01,192.168.1.2,[fd00:0:0:1::2],vm1\n");
  expect(dnsmasqConfig(one, files)).toContain("dhcp-range=192.168.1.0,static,255.255.255.0,9m\n");
});

test("a lease is over before the address of a VM that is gone is given to another", () => {
  const leases = [...dnsmasqConfig(one, files).matchAll(/^dhcp-range=.*,(\w+)$/gm)].map(([, lease]) => lease);
  expect(leases).toEqual([expect.stringMatching(/^\d+m$/), expect.stringMatching(/^\d+m$/)]);
  for (const lease of leases) expect(Number.parseInt(lease ?? "", 10) * 60_000).toBeLessThan(quarantineMs);
});

test("a network has the names of those that it reaches, and of those that VMs with their first interface in it are in, too", () => {
  const further = { ...host(1, 3), interfaceId: "net1" };
  const three = network(3, [further, host(3, 3)]);
  expect(namedNetworks(one, [one, two, three])).toEqual([three]);
  expect(namedNetworks({ ...one, reaches: [2] }, [one, two])).toEqual([two]);
  expect(namedNetworks(three, [one, two, three])).toEqual([]);
  expect(hostsFile(two, [{ ...three, ipv6: null, hosts: [further] }])).toBe(
    "192.168.3.2 vm1.net-3.internal\nfd00:0:0:3::2 vm1.net-3.internal\n192.168.3.1 gateway.net-3.internal\n",
  );
});

test("private domains of other networks are asked nobody, of others only the names that are known, and of a closed network nothing is asked outside", () => {
  const upstream = ["192.0.2.53"];
  expect(serversFile(one, upstream, [two], [two])).toBe("server=192.0.2.53\nserver=/net-2.internal/\n");
  expect(serversFile(one, upstream, [two], [])).toBe("server=192.0.2.53\nserver=/net-2.internal/\n");
  const shop = network(2, [host(4, 2)], { domain: "shop.example" });
  expect(serversFile(one, upstream, [shop], [])).toBe("server=192.0.2.53\n");
  expect(serversFile(one, upstream, [shop], [shop])).toBe(
    "server=192.0.2.53\nserver=/vm4.shop.example/\nserver=/gateway.shop.example/\n",
  );
  expect(serversFile({ ...one, outside: "none" }, upstream, [], [])).toBe("\n");
});

test("leases are read up to those of IPv6", () => {
  const text = "1795433946 52:54:00:00:01:02 192.168.1.3 vm2 01:52\nduid 00:01\n1795433946 123 fd00::3 vm2 00:01\n";
  expect([...parseLeases(text)]).toEqual([["52:54:00:00:01:02 192.168.1.3", "2026-11-23T11:39:06.000Z"]]);
});
