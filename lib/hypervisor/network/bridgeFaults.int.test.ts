import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { networkFingerprint } from "../../domain/networkFingerprint";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { get, host, network, resolve, serve } from "../testing/lab/labNetworks";
import { until } from "../testing/until";
import { findDnsmasqs } from "./dnsmasqProcess";

const one = network(1, [host(1, 1), host(2, 1)]);
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };

let lab: Lab;
let a: LabNamespace;
let b: LabNamespace;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  [a, b] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one)]);
  await Promise.all([serve(lab.internet, 80), serve(b, 80)]);
});
afterAll(async () => {
  await lab.close();
});

/** Numbered datagrams from a guest, 200 a second, until it is told to end: answers how many came, and in which order. */
async function stream(to: LabNamespace, address: string): Promise<() => Promise<{ sent: number; received: number[] }>> {
  const received = await to.start(process.execPath, [
    "-e",
    `require("node:dgram").createSocket("udp4", (data) => console.log(String(data))).bind(9000, () => console.log("ready"));`,
  ]);
  const sent = await a.start(process.execPath, [
    "-e",
    `const socket = require("node:dgram").createSocket("udp4"); let number = 0; console.log("ready");
     setInterval(() => socket.send(String(++number), 9000, "${address}", () => console.log(number)), 5);`,
  ]);
  await until(() => received.length > 20);
  return async () => {
    const last = Number(sent.at(-1));
    await until(() => Number(received.at(-1)) >= last);
    return {
      sent: last,
      received: received
        .slice(1)
        .map(Number)
        .filter((number) => number <= last),
    };
  };
}

test("an agent that is killed and comes back, and changes that concern others, lose no packet of guests that run, among them and to the internet", async () => {
  const ends = [await stream(b, "192.168.1.3"), await stream(lab.internet, "203.0.113.1")];
  const pids = await dnsmasqPids();
  await lab.killAgent();
  await lab.startAgent();
  await lab.apply(state);
  await lab.apply({
    networks: [{ ...one, hosts: [...one.hosts, host(3, 1)] }, network(2, [host(4, 2)])],
    firewalls: [{ vmId: 3, interfaceId: "net0", ingress: [], egress: null }],
    limits: [{ vmId: 3, interfaceId: "net0", ingressBytesPerSecond: 100_000, egressBytesPerSecond: 100_000 }],
  });
  await lab.apply(state);
  for (const { sent, received } of await Promise.all(ends.map((end) => end()))) {
    // The first is routed, and on a busy computer the second, which is switched, may overtake it.
    const inOrder = received.toSorted((one, other) => one - other);
    expect(inOrder).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
  }
  expect(await dnsmasqPids()).toEqual(pids);
});

test("what is right already isn't touched", async () => {
  const look = async () =>
    [
      await lab.inner.run("nft", ["--handle", "list", "ruleset"]),
      await lab.inner.run("ip", ["link", "show"]),
      await lab.host.run("nft", ["--handle", "list", "ruleset"]),
    ].map((text) => text.replaceAll(/packets \d+ bytes \d+|(?<=flags dynamic[^{}]*)\s*elements = \{[^}]*\}/g, ""));
  const before = await look();
  await lab.apply(state);
  await lab.killAgent();
  await lab.startAgent();
  await lab.apply(state);
  expect(await look()).toEqual(before);
});

/** What the agent's log says that it found otherwise than it had made it; it says so when all is right again. */
const foundOtherwise = async () =>
  (await lab.ask<string[]>("warnings")).flatMap(
    (line) => /^the networks were not as they should be.*?(\[.*\])/.exec(line)?.slice(1) ?? [],
  );

test("a name server that dies is replaced, also while the agent was away", async () => {
  const [first = 0] = await dnsmasqPids();
  process.kill(first, "SIGKILL");
  await until(async () => (await dnsmasqPids()).some((pid) => pid !== first), 20_000);
  await until(async () => (await resolve(a, "192.168.1.1", "vm2")) === "192.168.1.3", 20_000);
  await until(async () => (await foundOtherwise()).length > 0);
  expect(await foundOtherwise()).toEqual(['["name servers"]']);
  const [second = 0] = await dnsmasqPids();
  await lab.killAgent();
  process.kill(second, "SIGKILL");
  await lab.startAgent();
  await until(async () => (await resolve(a, "192.168.1.1", "vm2")) === "192.168.1.3", 20_000);
  expect(await dnsmasqPids()).toHaveLength(1);
});

test("the name server is no root, and has no right but the network's", async () => {
  const [pid = 0] = await dnsmasqPids();
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  expect(status).toMatch(/^Uid:\s+19\d{8}\s/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  // CAP_NET_BIND_SERVICE, CAP_NET_ADMIN and CAP_NET_RAW (capabilities(7)).
  expect(status).toMatch(/^CapBnd:\s+0000000000003400$/m);
});

test("rules that somebody else flushed, links that somebody removed, and taps as earlier versions made them are put right after a look", async () => {
  for (const tap of ["t1n0", "t2n0"]) await lab.inner.ip(`link set dev ${tap} type bridge_slave isolated on`);
  await lab.inner.run("nft", ["flush", "ruleset"]);
  await lab.host.run("nft", ["flush", "ruleset"]);
  await lab.host.ip("route delete 192.168.1.0/24");
  await lab.apply(state);
  expect(await foundOtherwise()).toEqual(['["rules","links","routes"]']);
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  expect(await get(lab.host, "192.168.1.3", 80)).toMatch(/^hello/);
  expect(await lab.inner.run("nft", ["list", "ruleset"])).toContain("policy drop");
  expect(await get(a, "192.168.1.3", 80)).toMatch(/^hello/);
});

test("a state that can't be read takes no network away, and is told", async () => {
  const file = join(lab.settings.dataDir, "networks.json");
  const text = await readFile(file, "utf8");
  await lab.killAgent();
  await writeFile(file, "{");
  await lab.startAgent();
  expect(await lab.ask("driver")).toMatchObject({
    ...{ problem: expect.stringMatching(/not as they should be/), applied: null },
  });
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  await writeFile(file, text);
  await until(async () => (await lab.ask<{ problem: string | null }>("driver")).problem === null, 20_000);
  expect(await lab.ask("driver")).toMatchObject({ applied: networkFingerprint(state) });
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
});

test("a reboot of the host brings everything back before anybody asks", async () => {
  await lab.killAgent();
  await lab.rebootHost();
  await expect(access(lab.names.namespacePath)).rejects.toThrow();
  await lab.startAgent();
  expect(await lab.ask("driver")).toMatchObject({ driver: "bridge", problem: null });
  [a, b] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one)]);
  await serve(b, 80);
  expect(await get(a, "203.0.113.1", 80)).toMatch(/^hello/);
  expect(await get(a, "192.168.1.3", 80)).toMatch(/^hello/);
  expect(await resolve(a, "192.168.1.1", "vm2")).toBe("192.168.1.3");
});

test("without networks nothing is left: no link, namespace, rule, route, process or file", async () => {
  await lab.apply({ networks: [], firewalls: [], limits: [] });
  await expect(access(lab.names.namespacePath)).rejects.toThrow();
  await expect(access(lab.names.folder)).rejects.toThrow();
  expect(await lab.host.run("ip", ["-brief", "link", "show"])).not.toContain(lab.names.hostLink);
  expect(await lab.host.run("nft", ["list", "ruleset"])).toBe("");
  expect(await lab.host.run("ip", ["route", "show"])).not.toContain("192.168.1.0");
  expect(await dnsmasqPids()).toEqual([]);
});

test("an agent with user-mode networks removes bridges of before, and forgets them", async () => {
  await lab.apply(state);
  await lab.killAgent();
  await lab.startAgent("networkAgent.ts", "user");
  expect(await lab.ask("driver")).toMatchObject({ driver: "user", problem: null });
  await expect(access(lab.names.namespacePath)).rejects.toThrow();
  expect(await lab.host.run("ip", ["-brief", "link", "show"])).not.toContain(lab.names.hostLink);
  expect(await dnsmasqPids()).toEqual([]);
  expect(JSON.parse(await readFile(join(lab.settings.dataDir, "networks.json"), "utf8"))).toMatchObject({
    networks: [],
  });
});

async function dnsmasqPids(): Promise<number[]> {
  return (await findDnsmasqs(lab.names.folder)).map(({ identity }) => identity.pid);
}
