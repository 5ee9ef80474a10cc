import { expect, test } from "vitest";
import { noNetworks } from "../../domain/hostNetwork";
import { network } from "../../hypervisor/testing/lab/labNetworks";
import type { NetworkFact } from "../snapshot";
import { healthySnapshot } from "../testSnapshot";
import { checkNetworks } from "./networks";

const endsAt = "2026-11-23T11:39:06.000Z";

/** Both VMs that run, on one bridge. */
function healthyNetwork(): NetworkFact {
  const hosts = [1, 2].map((vmId) => ({
    vmId,
    interfaceId: "net0",
    mac: `52:54:00:00:00:0${vmId}`,
    ipv4: `192.168.0.${vmId + 1}`,
    ipv6: null,
    name: `vm-${vmId}`,
  }));
  const names = ["192.168.0.2 vm-1", "192.168.0.3 vm-2"];
  const tap = { isBridge: false, isUp: true, master: "br1", isIsolated: false, addresses: [] };
  return {
    written: {
      networks: [network(1, hosts, { cidr: "192.168.0.0/24", gateway: "192.168.0.1", ipv6: null })],
      firewalls: [],
      limits: [],
    },
    namespace: "cumulus-x",
    hasNamespace: true,
    hostLink: "cumulusx",
    hasHostLink: true,
    isForwarding: true,
    hasHostTable: true,
    hostFirewalls: { closed: [], removals: ["nft delete rule ip filter FORWARD handle 5"], unseen: [] },
    routes: ["192.168.0.0/24", "169.254.1.0/30"],
    otherRoutes: ["203.0.113.0/24"],
    links: [
      { name: "br1", isBridge: true, isUp: true, master: null, isIsolated: false, addresses: ["192.168.0.1"] },
      { name: "t1n0", ...tap },
      { name: "t2n0", ...tap },
    ],
    senders: hosts.flatMap(({ vmId, mac, ipv4 }) => [`t${vmId}n0 ${mac}`, `t${vmId}n0 ${mac} ${ipv4}`]),
    tables: [],
    rates: [],
    leases: [{ networkId: 1, mac: "52:54:00:00:00:01", ipv4: "192.168.0.2", endsAt }],
    nameFiles: [{ networkId: 1, path: "/run/c/network/1/hosts", expected: names, found: names.toReversed() }],
    nameServers: [{ networkId: 1, pid: 70 }],
    isHostAsked: false,
  };
}

const told = (network: NetworkFact | null) =>
  checkNetworks({ ...healthySnapshot(), network }).map(({ message }) => message);

test("nothing is told of networks that are as they should be, nor where there are none", () => {
  const healthy = healthyNetwork();
  expect(told(healthy)).toEqual([]);
  const asked = { isHostAsked: true, nameServers: [...healthy.nameServers, { networkId: null, pid: 72 }] };
  expect(told({ ...healthy, ...asked })).toEqual([]);
  expect(told(null)).toEqual([]);
  const off = {
    hasNamespace: false,
    hasHostLink: false,
    hasHostTable: false,
    nameServers: [],
    hostFirewalls: { closed: [], removals: [], unseen: [] },
  };
  expect(told({ ...healthyNetwork(), written: noNetworks, ...off })).toEqual([]);
});

const planted: [what: string, plant: (network: NetworkFact) => void, told: RegExp][] = [
  ["the namespace is gone", (n) => (n.hasNamespace = false), /namespace cumulus-x is gone/],
  ["the host passes nothing on", (n) => (n.isForwarding = false), /net\.ipv4\.ip_forward is 0/],
  ["a tap is gone", (n) => n.links.pop(), /link t2n0 of VM vm-2 \(id 2\) in cumulus-x is gone/],
  [
    "a tap hangs on another bridge",
    (n) => Object.assign(n.links[1] ?? {}, { master: "br9" }),
    /t1n0 .* is no port of its bridge/,
  ],
  [
    "a tap is cut off from its neighbours",
    (n) => Object.assign(n.links[1] ?? {}, { isIsolated: true }),
    /cut off from the others/,
  ],
  ["a gateway has lost its address", (n) => n.links[0]?.addresses.pop(), /bridge br1 .* is not up with 192\.168\.0\.1/],
  [
    "a link is nobody's",
    (n) => n.links.push({ ...n.links[1], name: "t9n0" } as NetworkFact["links"][number]),
    /link t9n0 .* belongs to no network/,
  ],
  ["a VM may not send", (n) => n.senders.shift(), /don't let t1n0 52:54:00:00:00:01 send/],
  [
    "a VM may send as another",
    (n) => n.senders.push("t1n0 52:54:00:00:00:01 192.168.0.3"),
    /let t1n0 52:54:00:00:00:01 192\.168\.0\.3 send, which is no VM's/,
  ],
  [
    "a firewall of the host lacks our rules",
    (n) => n.hostFirewalls.closed.push("chain FORWARD of iptables-legacy (IPv4)"),
    /^The chain FORWARD of iptables-legacy \(IPv4\) of this host drops what VMs send and get/,
  ],
  [
    "a firewall of the host can't be looked at",
    (n) => n.hostFirewalls.unseen.push({ firewall: "iptables-legacy (IPv4)", reason: "Its lock is held." }),
    /^The firewall of iptables-legacy \(IPv4\) on this host could not be looked at, .*: Its lock is held\.$/,
  ],
  ["the uplink is gone", (n) => (n.hasHostLink = false), /link cumulusx, which joins/],
  ["a route is gone", (n) => n.routes.shift(), /no route to 192\.168\.0\.0\/24 .* wait half a minute/],
  [
    "the host has another way to a network",
    (n) => Object.assign(n, { routes: [], otherRoutes: ["192.168.0.0/16"] }),
    /no route to 192\.168\.0\.0\/24 .* another way to 192\.168\.0\.0\/16/,
  ],
  [
    "an address is leased to another VM",
    (n) => n.leases.push({ networkId: 1, mac: "52:54:00:00:00:01", ipv4: "192.168.0.3", endsAt }),
    /192\.168\.0\.3 is leased to \S+ of VM vm-1/,
  ],
  [
    "a name server's file lacks a VM",
    (n) => n.nameFiles[0]?.found?.shift(),
    /^\/run\/c\/network\/1\/hosts, by which network 1 has its names and addresses, lacks "192\.168\.0\.3 vm-2": wait/,
  ],
  [
    "a name server's file has a name that is nobody's",
    (n) => n.nameFiles[0]?.found?.push("192.168.0.9 stranger"),
    /hosts, .* has "192\.168\.0\.9 stranger", which is not of Cumulus' making: wait/,
  ],
  [
    "a name server's file is gone",
    (n) => Object.assign(n.nameFiles[0] ?? {}, { found: null }),
    /hosts, .* can't be read/,
  ],
  ["a name server is gone", (n) => n.nameServers.pop(), /Network 1 has no name server/],
  ["the name server on the host is gone", (n) => (n.isHostAsked = true), /no names outside.*dnsServers/],
  [
    "there are two on the host",
    (n) => {
      n.isHostAsked = true;
      n.nameServers.push({ networkId: null, pid: 72 }, { networkId: null, pid: 73 });
    },
    /Process 73 asks for names on this host, and isn't needed/,
  ],
  [
    "there is one on the host for nobody",
    (n) => n.nameServers.push({ networkId: null, pid: 72 }),
    /Process 72 asks for names on this host, and isn't needed/,
  ],
  ["there are two name servers", (n) => n.nameServers.push({ networkId: 1, pid: 71 }), /has 2 name servers \(70, 71\)/],
  [
    "a name server is left",
    (n) => n.nameServers.push({ networkId: 3, pid: 71 }),
    /Process 71 serves names for network 3, which is gone/,
  ],
  [
    "a VM's folder says another address",
    (n) => Object.assign(n.written.networks[0]?.hosts[0] ?? {}, { ipv4: "192.168.0.9" }),
    /gives VM vm-1 \(id 1\) 192\.168\.0\.9/,
  ],
  [
    "rules in the host's own firewall are left of no network",
    (n) => (n.written = noNetworks),
    /a rule of Cumulus' in this host's own firewall \(nft delete rule ip filter FORWARD handle 5\) is left/,
  ],
  [
    "a namespace is left of no network",
    (n) => (n.written = noNetworks),
    /no networks on bridges any more, and the network namespace cumulus-x/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, expected) => {
  const network = healthyNetwork();
  plant(network);
  expect(told(network)).toContainEqual(expect.stringMatching(expected));
});
