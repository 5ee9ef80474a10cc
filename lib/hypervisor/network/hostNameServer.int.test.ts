import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { get, host, network, resolve, serve } from "../testing/lab/labNetworks";
import { until } from "../testing/until";
import { findDnsmasqs } from "./dnsmasqProcess";

const one = network(1, [host(1, 1)]);
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };
/** What a name server answers for any name: the host's, and one elsewhere. */
const fromHost = "198.51.100.7";
const fromElsewhere = "198.51.100.8";

let lab: Lab;
let guest: LabNamespace;

beforeAll(async () => {
  lab = await Lab.make();
  await nameServer(lab.host, "127.0.0.1", fromHost);
  await nameServer(lab.host, "203.0.113.2", fromHost);
  await nameServer(lab.internet, "203.0.113.1", fromElsewhere);
  await startAgent("127.0.0.1");
  await lab.apply(state);
  guest = await lab.guest(host(1, 1), one);
});
afterAll(async () => {
  await lab.close();
});

async function nameServer(space: LabNamespace, address: string, answer: string): Promise<void> {
  const options = `--listen-address=${address} --bind-interfaces --no-resolv --no-hosts --pid-file= --address=/#/${answer}`;
  await space.start("sh", ["-c", `echo ready; exec dnsmasq --keep-in-foreground --conf-file=/dev/null ${options}`]);
}

const startAgent = (server: string) => lab.startAgent("networkAgent.ts", undefined, `nameserver ${server}\n`);
const pidsOnHost = async () =>
  (await findDnsmasqs(lab.names.folder))
    .filter(({ config }) => config.startsWith(`${lab.names.folder}/host/`))
    .map(({ identity }) => identity.pid);
const ask = () => resolve(guest, "192.168.1.1", "example.org");
const warning = async () => (await lab.ask<{ warning: string | null }>("driver")).warning;

test("where the host's name server answers the host alone, its VMs find names outside by it", async () => {
  await until(async () => (await ask()) === fromHost, 20_000);
  expect(await resolve(guest, "192.168.1.1", "vm1")).toBe("192.168.1.2");
  expect(await warning()).toBeNull();
});

test("also where the host drops what nobody allowed, and its port is forwarded to a VM", async () => {
  await lab.host.run(
    "nft",
    ["-f", "-"],
    "table ip filter { chain INPUT { type filter hook input priority 0; policy drop; ct state established accept; iifname lo accept; }; }",
  );
  const forwards = [{ hostAddress: "0.0.0.0", hostPort: 253, protocol: "udp" as const, ipv4: "192.168.1.2", port: 9 }];
  await lab.apply({ ...state, networks: [{ ...one, forwards }] });
  expect(await ask()).toBe(fromHost);
  await lab.apply(state);
  await lab.host.run("nft", ["delete", "table", "ip", "filter"]);
});

test("it is taken up by the next agent, started again when it ends, and asks whom the host asks by then", async () => {
  const pids = await pidsOnHost();
  expect(pids).toHaveLength(1);
  await lab.killAgent();
  await startAgent("203.0.113.2");
  await lab.apply(state);
  expect(await pidsOnHost()).toEqual(pids);
  expect(await ask()).toBe(fromHost);
  process.kill(pids[0] ?? 0, "SIGKILL");
  await until(async () => (await pidsOnHost()).some((pid) => !pids.includes(pid)), 20_000);
  await until(async () => (await ask()) === fromHost, 20_000);
});

test("it is no root, and has no right but to its port", async () => {
  const [pid = 0] = await pidsOnHost();
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const uidOf = (text: string) => /^Uid:\s+(19\d{8})\s/m.exec(text)?.[1];
  expect(uidOf(status)).toBeDefined();
  // Guests speak with those of their networks: whoever took one over has no hold on this one.
  const ofNetworks = (await findDnsmasqs(lab.names.folder)).filter(({ identity }) => identity.pid !== pid);
  expect(ofNetworks.length).toBeGreaterThan(0);
  for (const { identity } of ofNetworks) {
    expect(uidOf(await readFile(`/proc/${identity.pid}/status`, "utf8"))).not.toBe(uidOf(status));
  }
  // CAP_NET_BIND_SERVICE (capabilities(7)).
  expect(status).toMatch(/^CapBnd:\s+0000000000000400$/m);
});

test("no guest reaches it, nor a name server of the host, by whatever address of the host", async () => {
  await serve(lab.host, 8053);
  const all = await lab.host.run("ip", ["-json", "address", "show"]);
  const addresses = [...all.matchAll(/"local":"([0-9a-f.:]+)"/g)].flatMap(([, address]) => address ?? []);
  const targets = addresses.filter((address) => !/^(127\.|::1$|fe80)/.test(address));
  expect(targets.length).toBeGreaterThanOrEqual(3);
  const tries = targets.flatMap((address) => {
    const server = address.includes(":") ? `[${address}]` : address;
    return [
      ...[53, 253, 8053].map((port) => get(guest, address, port, 1000)),
      ...[53, 253].map((port) => resolve(guest, `${server}:${port}`, "example.org")),
    ];
  });
  for (const answer of await Promise.all(tries)) expect(answer).toMatch(/^(silent|ETIMEOUT)$/);
});

test("nor does anybody else in the host's network", async () => {
  const hostEnd = (await lab.host.run("ip", ["-4", "-brief", "address", "show", "dev", lab.names.hostLink])).match(
    /169\.254\.[\d.]+/,
  )?.[0];
  await lab.internet.ip(`route add ${hostEnd}/32 via 203.0.113.2`);
  expect(await resolve(lab.internet, `${hostEnd}:253`, "example.org")).not.toBe(fromHost);
});

test("what keeps it from running is told, with what to do, and VMs have their networks", async () => {
  await lab.killAgent();
  for (const pid of await pidsOnHost()) process.kill(pid, "SIGKILL");
  const taken = await lab.host.start(process.execPath, [
    "-e",
    `require("node:dgram").createSocket("udp4").bind(253, "0.0.0.0", () => console.log("ready"))`,
  ]);
  expect(taken).toEqual(["ready"]);
  await startAgent("127.0.0.1");
  await lab.apply(state);
  expect(await warning()).toMatch(/\(127\.0\.0\.1\) can't be asked from VMs' networks.*dnsServers.*(in use|port 253)/);
  await lab.apply({ ...state, networks: [{ ...one, dnsServers: ["203.0.113.1"] }] });
  expect(await warning()).toBeNull();
  await until(async () => (await ask()) === fromElsewhere, 20_000);
});

test("where the host asks others, the namespace does, and nothing runs on the host", async () => {
  await lab.host.endPrograms();
  await lab.killAgent();
  await startAgent("127.0.0.1");
  await lab.apply(state);
  expect(await pidsOnHost()).toHaveLength(1);
  await lab.killAgent();
  await startAgent("203.0.113.1");
  await lab.apply(state);
  expect(await pidsOnHost()).toEqual([]);
  await until(async () => (await ask()) === fromElsewhere, 20_000);
});

test("without networks nothing of it is left", async () => {
  await lab.killAgent();
  await startAgent("127.0.0.1");
  await lab.apply(state);
  expect(await pidsOnHost()).toHaveLength(1);
  // It would bring all back while it is removed.
  await lab.killAgent();
  await lab.removeAll();
  expect(await findDnsmasqs(lab.names.folder)).toEqual([]);
  expect(await lab.host.run("nft", ["list", "ruleset"])).toBe("");
});
