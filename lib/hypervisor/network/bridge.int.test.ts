import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { networkFingerprint } from "../../domain/networkFingerprint";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { dripClient, get, host, network, ping, resolve, serve, silenceMs } from "../testing/lab/labNetworks";
import { until, untilQuiet } from "../testing/until";
import { linkLocalOf } from "./names";

let lab: Lab;
let a: LabNamespace;
let b: LabNamespace;
let c: LabNamespace;

const one = network(1, [host(1, 1), host(2, 1)]);
const two = network(2, [host(3, 2), host(4, 2)]);
const state: NetworkState = { networks: [one, two], firewalls: [], limits: [] };

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  [a, b, c] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one), lab.guest(host(3, 2), two)]);
  const echo = `require("node:net").createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(7, () => console.log("ready"))`;
  await Promise.all([
    serve(lab.internet, 80),
    serve(b, 80),
    serve(c, 80),
    ...[a, b].map((guest) => guest.start(process.execPath, ["-e", echo])),
  ]);
});
afterAll(async () => {
  await lab.close();
});

test("an agent that is root has bridges without being asked, where the system lets it, and says why", async () => {
  const reason = "The agent is root, and all that bridges need is there.";
  expect(await lab.ask("driver")).toEqual({
    ...{ driver: "bridge", reason, problem: null, warning: null },
    applied: networkFingerprint(state),
  });
});

test("a guest goes out by the host's address", async () => {
  expect(await get(a, "203.0.113.1", 80)).toBe("hello ::ffff:203.0.113.2");
});

test("guests of a network reach each other with their own addresses", async () => {
  expect(await get(a, "192.168.1.3", 80)).toBe("hello ::ffff:192.168.1.2");
  expect(await get(a, "fd00:0:0:1::3", 80)).toBe("hello fd00:0:0:1::2");
});

test.each([
  ["192.168.1.3", "udp4", 9004],
  ["fd00:0:0:1::3", "udp6", 9006],
])("datagrams in fragments arrive whole at %s, after the first too", async (address, kind, port) => {
  const heard = await b.start(process.execPath, [
    "-e",
    `const socket = require("node:dgram").createSocket("${kind}", (data) => console.log(data.length)).bind(${port}, () => console.log("ready"));`,
  ]);
  const send = `const socket = require("node:dgram").createSocket("${kind}");
    const next = (bytes) => bytes > 4002 ? (say("sent"), socket.close()) : socket.send(Buffer.alloc(bytes), ${port}, "${address}", () => setTimeout(next, 50, bytes + 1));
    next(4000);`;
  expect(await a.node(send)).toBe("sent");
  await until(() => heard.length > 3);
  expect(heard).toEqual(["ready", "4000", "4001", "4002"]);
});

test("networks don't reach each other by IPv4 nor by IPv6, but as far as one is told to", async () => {
  const isClosed = async (guest: LabNamespace, addresses: string[]) => {
    for (const address of addresses) expect(await get(guest, address, 80, silenceMs), address).toBe("silent");
  };
  const [inOne, inTwo] = [
    ["192.168.1.3", "fd00:0:0:1::3"],
    ["192.168.2.4", "fd00:0:0:2::4"],
  ];
  await isClosed(a, inTwo);
  await lab.apply({ ...state, networks: [{ ...one, reaches: [2] }, two] });
  expect(await get(a, "192.168.2.4", 80)).toBe("hello ::ffff:192.168.1.2");
  expect(await get(a, "fd00:0:0:2::4", 80)).toBe("hello fd00:0:0:1::2");
  await isClosed(c, inOne);
  await expect.poll(() => resolve(a, "192.168.1.1", "vm3.net-2.internal")).toBe("192.168.2.4");
  await lab.apply(state);
  await isClosed(a, inTwo);
});

test("guests find each other by name, and nobody of another network", async () => {
  expect(await resolve(a, "192.168.1.1", "vm2.net-1.internal")).toBe("192.168.1.3");
  expect(await resolve(a, "192.168.1.1", "vm2")).toBe("192.168.1.3");
  expect(await resolve(a, "192.168.1.1", "vm3.net-2.internal")).not.toContain("192");
  expect(await resolve(a, "192.168.2.1", "vm3.net-2.internal")).not.toContain("192");
});

test("the host reaches guests by their addresses, and is their gateway to them", async () => {
  expect(await get(lab.host, "192.168.1.3", 80)).toBe("hello ::ffff:192.168.1.1");
  expect(await get(lab.host, "fd00:0:0:1::3", 80)).toBe("hello fd00:0:0:1::1");
});

test("a network's gateway and domain are what was chosen, and IPv6 comes to it while its guests run", async () => {
  const chosen = { gateway: "192.168.3.254", domain: "lab.example" };
  const v4Host = { ...host(5, 3), ipv6: null };
  const v4 = network(3, [v4Host], { ...chosen, ipv6: null });
  await lab.apply({ ...state, networks: [one, two, v4] });
  const guest = await lab.guest(v4Host, v4);
  await serve(guest, 80);
  expect(await get(guest, "203.0.113.1", 80)).toMatch(/^hello/);
  await expect.poll(() => resolve(guest, "192.168.3.254", "vm5.lab.example")).toBe("192.168.3.6");
  expect(await get(lab.host, "192.168.3.6", 80)).toBe("hello ::ffff:192.168.3.254");
  await lab.apply({ ...state, networks: [one, two, network(3, [host(5, 3)], chosen)] });
  await guest.ip("address add fd00:0:0:3::6/64 dev eth0 nodad", "route replace default via fe80::1 dev eth0");
  expect(await get(lab.host, "fd00:0:0:3::6", 80)).toBe("hello fd00:0:0:3::1");
  await expect.poll(() => resolve(guest, "192.168.3.254", "vm5.lab.example")).toBe("192.168.3.6");
  await lab.apply(state);
});

test("a network that nobody is in moves: its next guest finds gateway, names, the way out and the host in the new range", async () => {
  const routeTo = (cidr: string) => lab.host.run("ip", ["route", "show", cidr]);
  const before = network(3, []);
  await lab.apply({ ...state, networks: [one, two, before] });
  expect(await routeTo("192.168.3.0/24")).toContain("via");
  const guest = { ...host(9, 3), ipv4: "10.33.0.6", ipv6: null };
  const moved = { cidr: "10.33.0.0/24", gateway: "10.33.0.254", domain: "moved.example", ipv6: null };
  await lab.apply({ ...state, networks: [one, two, network(3, [], moved)] });
  expect(await routeTo("192.168.3.0/24")).toBe("");
  const addresses = await lab.inner.run("ip", ["-o", "address", "show", "dev", "br3"]);
  expect(addresses).toContain("10.33.0.254/24");
  expect(addresses).not.toMatch(/192\.168\.3\.|fd00:0:0:3:/);
  const after = network(3, [guest], moved);
  await lab.apply({ ...state, networks: [one, two, after] });
  const inside = await lab.guest(guest, after);
  await serve(inside, 80);
  expect(await get(inside, "203.0.113.1", 80)).toMatch(/^hello/);
  await expect.poll(() => resolve(inside, "10.33.0.254", "vm9.moved.example")).toBe("10.33.0.6");
  expect(await get(lab.host, "10.33.0.6", 80)).toBe("hello ::ffff:10.33.0.254");
  await lab.apply(state);
});

test("an interface that comes to another network with the MAC that it had is a neighbour there", async () => {
  const moved = { ...host(6, 2), mac: host(6, 1).mac };
  const ofNet = (bridge: string) => lab.inner.run("ip", ["-6", "neighbour", "show", "dev", bridge]);
  await lab.apply({ ...state, networks: [{ ...one, hosts: [...one.hosts, host(6, 1)] }, two] });
  expect(await ofNet("br1")).toContain(`${linkLocalOf(moved.mac)} lladdr ${moved.mac} PERMANENT`);
  await lab.apply({ ...state, networks: [one, { ...two, hosts: [...two.hosts, moved] }] });
  for (const address of [linkLocalOf(moved.mac), moved.ipv6]) {
    expect(await ofNet("br2")).toContain(`${address} lladdr ${moved.mac} PERMANENT`);
  }
  await lab.apply(state);
});

test("a guest that is told nothing gets its IPv6 address by DHCP, and the way to it by the router's advertisement", async () => {
  const guest = await lab.guest({ ...host(4, 2), ipv6: null }, two);
  const global = () => guest.run("ip", ["-6", "address", "show", "dev", "eth0", "scope", "global"]);
  await until(async () => (await guest.run("ip", ["-6", "route", "show", "default"])).includes("via fe80::1"), 20_000);
  // The address that Cumulus knows it by is the only one that it may have: none of its own making.
  expect(await global()).toBe("");
  const leases = join(lab.settings.dataDir, "dhclient6.leases");
  const argv = ["-6", "-1", "-sf", "/bin/true", "-lf", leases, "-pf", `${leases}.pid`, "eth0"];
  // Until then it can't be sent from.
  const linkLocal = () => guest.run("ip", ["-6", "address", "show", "dev", "eth0", "scope", "link"]);
  await until(async () => !(await linkLocal()).includes("tentative"), 20_000);
  await guest.run("dhclient", argv);
  await guest.run("dhclient", ["-6", "-x", ...argv.slice(2)]);
  const lease = await readFile(leases, "utf8");
  expect(lease).toContain("iaaddr fd00:0:0:2::5 {");
  expect(lease).toContain("option dhcp6.name-servers fd00:0:0:2::1;");
  await guest.ip("address add fd00:0:0:2::5/128 dev eth0 nodad");
  expect(await get(guest, "fd00:0:0:2::4", 80)).toBe("hello fd00:0:0:2::5");
});

test("a firewall lets through what its rules name, from neighbours and strangers, and applies to connections that are there", async () => {
  const ssh = { protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs: [] };
  const web = {
    protocol: "tcp" as const,
    ports: [{ from: 80, to: 80 }],
    cidrs: ["192.168.1.2/32", "fd00:0:0:1::2/128"],
  };
  const closed = (rules: (typeof ssh | typeof web)[], direction: "ingress" | "egress" = "ingress") => ({
    ...state,
    firewalls: [{ vmId: 2, interfaceId: "net0", ingress: null, egress: null, [direction]: rules }],
  });
  const drip = await a.start(process.execPath, ["-e", dripClient("192.168.1.3", 7)]);
  const answered = await b.start(process.execPath, ["-e", dripClient("192.168.1.2", 7)]);
  const heard = await b.start(process.execPath, ["-e", talkativeServer]);
  const sent = await a.start(process.execPath, ["-e", talkativeClient]);
  await until(() => drip.length > 2 && answered.length > 2 && heard.length > 20);
  await lab.apply(closed([ssh]));
  await Promise.all([untilQuiet(drip), untilQuiet(heard)]);
  const [before, heardBefore, answeredBefore] = [drip.length, heard.length, answered.length];
  const sentBefore = sent.length;
  expect(await get(a, "192.168.1.3", 80, silenceMs)).toBe("silent");
  expect(await get(a, "fd00:0:0:1::3", 80, silenceMs)).toBe("silent");
  expect(await get(lab.host, "192.168.1.3", 80, silenceMs)).toBe("silent");
  await until(() => answered.length > answeredBefore + 20 && sent.length > sentBefore + 50, 20_000);
  expect(drip).toHaveLength(before);
  // Neither does what the VM itself goes on sending make the other side's datagrams answers.
  expect(heard).toHaveLength(heardBefore);
  expect(await get(b, "203.0.113.1", 80)).toMatch(/^hello/);
  await lab.apply(closed([ssh, web]));
  expect(await get(a, "192.168.1.3", 80)).toMatch(/^hello/);
  expect(await get(a, "fd00:0:0:1::3", 80)).toMatch(/^hello/);
  expect(await get(lab.host, "192.168.1.3", 80, silenceMs)).toBe("silent");
  await lab.apply(closed([]));
  expect(await get(a, "192.168.1.3", 80, silenceMs)).toBe("silent");
  expect(await get(lab.host, "192.168.1.3", 80, silenceMs)).toBe("silent");
  expect(await ping(a, "192.168.1.3", silenceMs)).toBe("silent");
  expect(await get(b, "203.0.113.1", 80)).toMatch(/^hello/);
  await lab.apply(state);
  expect(await ping(a, "192.168.1.3")).toBe("answered");
  expect(await ping(b, "192.168.1.1")).toBe("answered");
  await lab.apply(closed([], "egress"));
  expect(await get(b, "203.0.113.1", 80, silenceMs)).toBe("silent");
  expect(await ping(b, "192.168.1.1", silenceMs)).toBe("silent");
  expect(await resolve(b, "192.168.1.1", "vm1.net-1.internal")).toBe("192.168.1.2");
  expect(await get(a, "192.168.1.3", 80)).toMatch(/^hello/);
  await lab.apply(state);
  // Its TCP sends again at ever longer intervals.
  await until(() => drip.length > before + 5);
});

/** Receives datagrams, says "got" for each, and sends its own to whom it has heard once, 50 a second. */
const talkativeServer = `const socket = require("node:dgram").createSocket("udp4").bind(9, () => console.log("ready"));
  socket.once("message", (data, { port, address }) => setInterval(() => socket.send("x", port, address), 20));
  socket.on("message", () => console.log("got"));`;
/** Says "sent" for each. */
const talkativeClient = `const socket = require("node:dgram").createSocket("udp4"); console.log("ready");
  setInterval(() => socket.send("x", 9, "192.168.1.3", () => console.log("sent")), 20);`;

test("a network in the host's own subnet takes no route from the host, which tells of it, and has it back afterwards", async () => {
  const routeTo = (address: string) => lab.host.run("ip", ["route", "get", address]);
  await lab.host.ip(
    "link add own type veth peer name far",
    "link set dev far up",
    "link set dev own up",
    // As wide as the one network, and wider than the other.
    "address add 192.168.1.7/24 dev own",
    "address add 192.168.2.7/23 dev own",
  );
  await lab.apply(state);
  expect(await routeTo("192.168.1.3")).toContain("dev own");
  expect(await routeTo("192.168.2.4")).toContain("dev own");
  expect(await lab.ask("driver")).toMatchObject({
    problem: null,
    warning: expect.stringMatching(/192\.168\.1\.0\/24 \(own\).* net-1 .* 192\.168\.2\.0\/23 \(own\).* net-2 /),
  });
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  await lab.host.ip("link delete dev own");
  await lab.apply(state);
  expect(await get(lab.host, "192.168.1.3", 80)).toMatch(/^hello/);
  expect(await lab.ask("driver")).toMatchObject({ warning: null });
});

test("so does one whose firewall is iptables-legacy's, which nft doesn't see", async () => {
  const legacy = (...args: string[]) => lab.host.run("iptables-legacy", ["--wait", ...args]);
  await legacy("-P", "FORWARD", "DROP");
  const before = await legacy("-S");
  expect(await get(a, "203.0.113.1", 80, silenceMs)).toBe("silent");
  await lab.apply(state);
  expect(await lab.ask("driver")).toMatchObject({ problem: null, warning: null });
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  await lab.apply(state);
  expect((await legacy("-S")).split("\n")).toHaveLength(before.split("\n").length + 2);
});

test("br_netfilter, loaded for containers after the networks were made, filters frames of the host's bridges and none of VMs", async () => {
  // The module gives every namespace that is there these parameters, set; a kernel without it has none.
  const parameter = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  for (const space of [lab.host, lab.inner]) await space.run("tee", [parameter], "1");
  await lab.apply(state);
  expect(await lab.inner.run("cat", [parameter])).toBe("0");
  expect(await lab.host.run("cat", [parameter])).toBe("1");
  expect(await get(a, "192.168.1.3", 80)).toMatch(/^hello/);
});

test("a host that forwards only what is allowed still works, and its rules are as before afterwards", async () => {
  const table = "table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }";
  await lab.host.run("nft", ["-f", "-"], table);
  const before = await lab.host.run("nft", ["list", "table", "ip", "filter"]);
  expect(await get(a, "203.0.113.1", 80, silenceMs)).toBe("silent");
  await lab.apply(state);
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  expect(await get(a, "192.168.1.3", 80)).toMatch(/^hello/);
  // It would bring all back while it is removed.
  await lab.killAgent();
  await lab.removeAll();
  expect(await lab.host.run("nft", ["list", "table", "ip", "filter"])).toBe(before);
  expect(await lab.host.run("iptables-legacy", ["-S", "FORWARD"])).toBe("-P FORWARD DROP");
  await lab.host.run("nft", ["delete", "table", "ip", "filter"]);
  expect(await lab.leftovers()).toEqual([]);
});
