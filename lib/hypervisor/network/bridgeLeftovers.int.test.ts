import { access, mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { networkFingerprint } from "../../domain/networkFingerprint";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { get, host, network, serve, silenceMs } from "../testing/lab/labNetworks";
import { until } from "../testing/until";
import { findDnsmasqs } from "./dnsmasqProcess";

const to = (vmId: number, hostPort: number, hostAddress = "203.0.113.2") => ({
  ...{ hostAddress, hostPort, protocol: "tcp" as const, port: 80 },
  ipv4: host(vmId, 1).ipv4,
});
const one = network(1, [host(1, 1), host(2, 1)], { forwards: [to(1, 8081), to(2, 8082), to(1, 8083, "127.0.0.1")] });
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };
const walled: NetworkState = { ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [], egress: null }] };

let lab: Lab;
let b: LabNamespace;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  const [a, second] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one)]);
  b = second;
  await Promise.all([serve(a, 80), serve(b, 80)]);
  // What tells that VMs run on the bridges: guests of Linux's own have no QEMU.
  await lab.inner.start("bash", ["-c", "echo ready; exec -a qemu-system-none sleep infinity"]);
});
afterAll(async () => {
  await lab.close();
});

beforeEach(async () => {
  await lab.killAgent();
  await startUserMode();
});

const startUserMode = () => lab.startAgent("networkAgent.ts", "user");
const driver = () => lab.ask<{ driver: string; problem: string | null; applied: string | null }>("driver");
const inDataDir = (name: string) => join(lab.settings.dataDir, name);
const keptForwards = async () => JSON.parse(await readFile(inDataDir("forwards.json"), "utf8"));
const fromOutside = (port: number, timeoutMs?: number) => get(lab.internet, "203.0.113.2", port, timeoutMs);
const dnsmasqPids = async () => (await findDnsmasqs(lab.names.folder)).map(({ identity }) => identity.pid);

test("bridges that VMs still run on are looked after: name servers that die come back, and rules that are flushed", async () => {
  await lab.apply(state);
  const before = await dnsmasqPids();
  // While the name servers live, rules are looked at every 30 s only.
  await lab.host.run("nft", ["flush", "ruleset"]);
  expect(await fromOutside(8081)).toBe("refused");
  for (const pid of before) process.kill(pid, "SIGKILL");
  await until(async () => (await fromOutside(8081, silenceMs)).startsWith("hello"), 60_000);
  await until(async () => (await dnsmasqPids()).some((pid) => !before.includes(pid)), 20_000);
}, 120_000);

test("what was changed while another agent had the bridges is changed back, though it is what this one had applied", async () => {
  await lab.apply(state);
  await lab.killAgent();
  await lab.startAgent("networkAgent.ts", "bridge");
  await lab.apply(walled);
  expect(await get(lab.host, host(1, 1).ipv4, 80, silenceMs)).toBe("silent");
  await lab.killAgent();
  await startUserMode();
  await lab.apply(state);
  expect(await get(lab.host, host(1, 1).ipv4, 80)).toMatch(/^hello/);
}, 120_000);

test("forwards in user mode are taken over where bridges can't be brought about, which is told until they can", async () => {
  const hosts = join(lab.names.folder, "1", "hosts");
  await rm(hosts);
  await mkdir(hosts);
  try {
    const forwarding = { ...walled, networks: [{ ...one, forwards: [...one.forwards, to(2, 8084, "127.0.0.1")] }] };
    await expect(lab.apply(forwarding)).rejects.toThrow();
    expect(await keptForwards()).toMatchObject({ applied: null, forwards: [{ hostPort: 8083 }, { hostPort: 8084 }] });
    expect(await driver()).toMatchObject({ problem: expect.stringMatching(/^Bridges of before/), applied: null });
    await rmdir(hosts);
    await until(async () => (await driver()).problem === null, 30_000);
    await until(async () => (await driver()).applied === networkFingerprint(forwarding));
    expect(await keptForwards()).toMatchObject({ applied: networkFingerprint(forwarding) });
    expect(await get(lab.host, host(1, 1).ipv4, 80, silenceMs)).toBe("silent");
  } finally {
    await rmdir(hosts).catch(() => undefined);
  }
  await lab.apply(state);
}, 120_000);

test("a state is not said to be in effect by the agent after one that died before the bridges had it", async () => {
  await lab.apply(state);
  const record = inDataDir("networks.json");
  const before = await readFile(record);
  // Where an agent dies that has written the forwards and not yet the networks.
  await rm(record);
  await mkdir(record);
  await expect(lab.apply(walled)).rejects.toThrow();
  await lab.killAgent();
  await rmdir(record);
  await writeFile(record, before);
  await startUserMode();
  expect(await driver()).toMatchObject({ problem: null, applied: null });
  expect(await get(lab.host, host(1, 1).ipv4, 80)).toMatch(/^hello/);
  await lab.apply(walled);
  expect(await driver()).toMatchObject({ problem: null, applied: networkFingerprint(walled) });
  expect(await get(lab.host, host(1, 1).ipv4, 80, silenceMs)).toBe("silent");
  await lab.killAgent();
  await startUserMode();
  expect(await driver()).toMatchObject({ problem: null, applied: networkFingerprint(walled) });
  await lab.apply(state);
}, 120_000);

test("a record of networks that can't be read keeps nothing from being applied, and is written anew", async () => {
  await lab.killAgent();
  await writeFile(inDataDir("networks.json"), "{");
  await startUserMode();
  expect(await driver()).toMatchObject({ problem: expect.stringMatching(/^Bridges of before/), applied: null });
  expect(await fromOutside(8081)).toMatch(/^hello/);
  await lab.apply(state);
  expect(await driver()).toMatchObject({ problem: null, applied: networkFingerprint(state) });
  expect(JSON.parse(await readFile(inDataDir("networks.json"), "utf8"))).toMatchObject({ networks: [{ id: 1 }] });
  expect(await fromOutside(8081)).toMatch(/^hello/);
}, 120_000);

test("the forwards of a VM that has left its bridge go, and those of one that is still there stay", async () => {
  await lab.apply(state);
  expect(await fromOutside(8082)).toMatch(/^hello/);
  await b.endPrograms();
  await until(async () => (await lab.inner.run("ip", ["link", "show", "dev", "t2n0"])).includes("NO-CARRIER"));
  await lab.apply(state);
  expect(await fromOutside(8082)).toBe("refused");
  expect(await lab.inner.run("ip", ["-brief", "link"])).not.toContain("t2n0");
  expect(await fromOutside(8081)).toMatch(/^hello/);
}, 120_000);

test("a tap that was set down is set up again, and nothing is taken from a QEMU that is there", async () => {
  await lab.inner.ip("link set dev t1n0 down");
  await lab.apply(state);
  await until(async () => (await fromOutside(8081, silenceMs)).startsWith("hello"), 20_000);
  await lab.apply({ networks: [], firewalls: [], limits: [] });
  await access(lab.names.namespacePath);
  await lab.apply(state);
  expect(await fromOutside(8081)).toMatch(/^hello/);
}, 120_000);

test("with the last QEMU the bridges go", async () => {
  await lab.inner.endPrograms();
  await lab.apply(state);
  await expect(access(lab.names.namespacePath)).rejects.toThrow();
  await expect(access(lab.names.folder)).rejects.toThrow();
  expect(await lab.host.run("nft", ["list", "ruleset"])).toBe("");
  expect(await dnsmasqPids()).toEqual([]);
  expect(JSON.parse(await readFile(inDataDir("networks.json"), "utf8"))).toMatchObject({ networks: [] });
});
