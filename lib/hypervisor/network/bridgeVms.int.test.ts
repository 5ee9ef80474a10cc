import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noFirstBoot } from "../../domain/firstBoot";
import type { NetworkState, ReachabilityCheck } from "../../domain/hostNetwork";
import { type MachineSpec, machineSpecSchema, type Observation } from "../../domain/machine";
import { seedOf } from "../../domain/seed";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { installBuiltImage } from "../../images/testing/builtImage";
import { signal } from "../../system/testing/signal";
import { Lab } from "../testing/lab/lab";
import { host, network, serve } from "../testing/lab/labNetworks";
import { until } from "../testing/until";
import { hasSshBanner } from "./sshBanner";

const bootMs = 180_000;
/** The second asks for its IPv4 address by DHCP, and has no other. */
const one = network(1, [host(1, 1), { ...host(2, 1), ipv6: null }, host(3, 1)]);
const ids = [1, 2, 3];
const state: NetworkState = { networks: [one], firewalls: [], limits: [] };

let lab: Lab;
let keys: string;
let imageSha256: string;

beforeAll(async () => {
  lab = await Lab.make();
  keys = await mkdtemp(join(tmpdir(), "cumulus-keys-"));
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(keys, "id")]);
  await execa("mkdir", ["--parents", "--mode=711", lab.settings.dataDir]);
  const image = await installBuiltImage(pathsOf(lab.settings), { name: "mini", arch: "x86_64" });
  imageSha256 = image.sha256;
  await lab.startAgent("hypervisorAgent.ts");
  await lab.apply(state);
  for (const id of ids) {
    await lab.ask("ensure", await spec(id, id === 2 ? "dhcp" : "static"));
    await lab.ask("start", id);
  }
  await serve(lab.internet, 80);
  for (const id of ids) await untilSeen(id, ({ milestones }) => milestones.ssh !== undefined);
}, 400_000);
afterAll(async () => {
  for (const id of ids) await lab.ask("remove", id).catch(() => undefined);
  await lab.close();
  await rm(keys, { recursive: true, force: true });
});

async function spec(id: number, addressing: "static" | "dhcp"): Promise<MachineSpec> {
  const { mac, ipv4, ipv6 } = host(id, 1);
  const { cidr, gateway, domain } = one;
  const uuid = uuids[id] ?? "";
  const seed = seedOf({
    ...{ uuid, hostname: `vm${id}`, loginUser: "root", userData: null, files: [], firstBoot: noFirstBoot },
    publicKeys: [(await readFile(join(keys, "id.pub"), "utf8")).trim()],
    ...{ userShell: null, mac, ipv4, cidr, gateway, dns: gateway, searchDomain: domain, further: [] },
    ...(ipv6 !== null && one.ipv6 !== null && { ipv6: { address: ipv6, gateway: one.ipv6.gateway } }),
  });
  const byDhcp = { version: 2, ethernets: { eth0: { match: { macaddress: mac }, "set-name": "eth0", dhcp4: true } } };
  return machineSpecSchema.parse({
    id,
    uuid,
    arch: "x86_64",
    firmware: "bios",
    vcpus: 1,
    memoryBytes: 192 * MIB,
    disk: { imageSha256, sizeBytes: 1024 * MIB },
    interfaces: [{ id: "net0", mac, driver: "bridge", cidr, gateway, dns: gateway, ipv4 }],
    seed: addressing === "dhcp" ? { ...seed, networkConfig: byDhcp } : seed,
  });
}
const uuids = ["", randomUUID(), randomUUID(), randomUUID()];

const untilSeen = (id: number, isIt: (observation: Observation) => boolean) =>
  until(async () => {
    const observation = await lab.ask<Observation>("observe", id);
    return isIt(observation) ? observation : null;
  }, bootMs);

/** Runs a command in a VM, by SSH from the host. */
const ssh = (id: number, command: string, address = host(id, 1).ipv4) =>
  lab.host.run("ssh", [
    ...[
      "-i",
      join(keys, "id"),
      "-o",
      "UserKnownHostsFile=/dev/null",
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      "LogLevel=ERROR",
    ],
    ...["-o", "ConnectTimeout=30", `root@${address}`, command],
  ]);

const diagnose = async (id: number, port: number, link = "net0") =>
  (await lab.ask<ReachabilityCheck[]>("diagnose", id, link, port)).map(({ name, outcome }) => `${name} ${outcome}`);

/** A guest under emulation may take longer to greet than is waited for. */
const expectSsh = (diagnosed: () => Promise<string[]>) =>
  expect.poll(async () => (await diagnosed()).at(-1)).toBe("ssh ok");

test("VMs on a bridge are reached from the host by their addresses, and find each other by name", async () => {
  expect(await ssh(1, "hostname")).toBe("vm1");
  expect(await ssh(2, "ip addr show dev eth0")).toContain("192.168.1.3/24");
  expect(await ssh(1, "ping -c 2 vm2.net-1.internal")).toContain("192.168.1.3");
  expect(await ssh(2, "ping -c 2 vm1")).toContain("192.168.1.2");
  expect(await ssh(2, "cat /etc/resolv.conf")).toContain("nameserver 192.168.1.1");
}, 120_000);

test("VMs reach each other by name over IPv6, and the host reaches them by that address, by the seed alone", async () => {
  expect(await ssh(1, "ping -6 -c 2 vm3.net-1.internal")).toContain("bytes from fd00:0:0:1::4");
  expect(await ssh(3, "ping -6 -c 2 vm1")).toContain("bytes from fd00:0:0:1::2");
  expect(await ssh(3, "hostname", "fd00:0:0:1::4")).toBe("vm3");
}, 120_000);

test("a VM fetches pages by address and by name, also where it is given a time limit", async () => {
  expect(await ssh(1, "wget -q -T 20 -O - http://203.0.113.1/")).toMatch(/^hello/);
  await ssh(2, "mkdir /tmp/www; echo 'from vm2' > /tmp/www/index.html; httpd -p 8080 -h /tmp/www");
  expect(await ssh(1, "wget -q -O - http://vm2.net-1.internal:8080/; wget -qT 20 -O - http://vm2:8080/")).toBe(
    "from vm2\nfrom vm2",
  );
}, 120_000);

test("their QEMUs run in the namespace as users of their own, and listen on no network", async () => {
  for (const id of [1, 2]) {
    const { pid } = await lab.ask<Observation>("observe", id);
    const inner = await lab.inner.run("readlink", ["/proc/self/ns/net"]);
    expect((await execa("readlink", [`/proc/${pid}/ns/net`])).stdout).toBe(inner);
    expect(await readFile(`/proc/${pid}/status`, "utf8")).toMatch(/^Uid:\s+19\d{8}\s/m);
  }
});

test("what is seen of an interface: plugged in, its lease, its address, its traffic", async () => {
  const { interfaces, driver } = await lab.status();
  expect(driver).toBe("bridge");
  expect(interfaces).toMatchObject([
    { vmId: 1, networkId: 1, isUp: true, leaseEndsAt: null, isAddressSeen: true },
    { vmId: 2, networkId: 1, isUp: true, leaseEndsAt: expect.stringMatching(/^20/), isAddressSeen: true },
    { vmId: 3, networkId: 1, isUp: true, leaseEndsAt: null, isAddressSeen: true },
  ]);
  for (const { receivedBytes, sentPackets } of interfaces) {
    expect(receivedBytes).toBeGreaterThan(1000);
    expect(sentPackets).toBeGreaterThan(10);
  }
});

test("why a port can't be reached is told by the first thing that is wrong", async () => {
  const upToRoute = ["running ok", "interface ok", "lease ok", "arp ok", "firewall ok", "route ok"];
  await expect.poll(() => diagnose(1, 22)).toEqual([...upToRoute, "port ok", "ssh ok"]);
  expect(await diagnose(1, 81)).toEqual([...upToRoute, "port failed"]);
  expect((await diagnose(2, 22))[2]).toBe("lease ok");
  await lab.apply({ ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [], egress: null }] });
  expect(await diagnose(1, 22)).toEqual([...upToRoute.slice(0, 4), "firewall failed"]);
  const { fix } = (await lab.ask<ReachabilityCheck[]>("diagnose", 1, "net0", 22)).at(-1) ?? {};
  const peer = /from (169\.254\.[\d.]+),/.exec(fix ?? "")?.[1] ?? "";
  const ssh22 = { protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs: [`${peer}/32`] };
  await lab.apply({ ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [ssh22], egress: null }] });
  await expectSsh(() => diagnose(1, 22));
  await lab.apply(state);
  // After the session that asks for it.
  await ssh(2, "(sleep 1; ip addr flush dev eth0) >/dev/null 2>&1 </dev/null &");
  await until(async () => (await diagnose(2, 22)).at(-1) === "arp failed", 60_000);
}, 180_000);

/** What is found with nothing known of the VM's address, as after half a minute of silence. */
const diagnoseForgotten = async (id: number, port: number) => {
  await lab.inner.run("ip", ["neighbour", "flush", "dev", "br1"]);
  return diagnose(id, port);
};

test("a VM of which nothing was heard lately is asked past its firewall and the host's routes", async () => {
  const upToArp = ["running ok", "interface ok", "lease ok", "arp ok"];
  const ssh22 = { protocol: "tcp" as const, ports: [{ from: 22, to: 22 }], cidrs: ["0.0.0.0/0"] };
  await lab.apply({ ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [ssh22], egress: null }] });
  expect(await diagnoseForgotten(1, 8080)).toEqual([...upToArp, "firewall failed"]);
  const port = 22;
  await lab.apply({ ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [], egress: null }] });
  const isReady = () => hasSshBanner(lab.inner.path, { host: host(1, 1).ipv4, port });
  await expect.poll(isReady, { message: "so that it is seen as ready" }).toBe(true);
  expect(await hasSshBanner(lab.inner.path, { host: host(99, 1).ipv4, port })).toBe(false);
  await lab.apply({ ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [ssh22], egress: null }] });
  await expect
    .poll(() => diagnoseForgotten(1, 22))
    .toEqual([...upToArp, "firewall ok", "route ok", "port ok", "ssh ok"]);
  await lab.apply(state);
  await lab.host.ip(`route delete ${one.cidr}`);
  expect(await diagnoseForgotten(1, 22)).toEqual([...upToArp, "firewall ok", "route failed"]);
  await lab.host.ip(
    "link add rival type veth peer name other",
    "address add 192.168.1.77/24 dev rival",
    "link set dev rival up",
  );
  expect(await diagnoseForgotten(1, 22)).toEqual([...upToArp, "firewall ok", "route failed"]);
  await lab.host.ip("link delete dev rival");
  await lab.apply(state);
  await expect
    .poll(() => diagnoseForgotten(1, 22))
    .toEqual([...upToArp, "firewall ok", "route ok", "port ok", "ssh ok"]);
});

test("a VM that is paused, or whose QEMU hangs, is said to be so", async () => {
  await lab.ask("pause", 1);
  expect(await lab.ask("diagnose", 1, "net0", 22)).toEqual([
    { name: "running", outcome: "failed", message: "The VM is paused.", fix: "Resume it." },
  ]);
  await lab.ask("resume", 1);
  await expectSsh(() => diagnoseForgotten(1, 22));
  const { pid } = await lab.ask<Observation>("observe", 1);
  signal(pid, "SIGSTOP");
  try {
    await untilSeen(1, ({ state }) => state === "unresponsive");
    expect(await diagnose(1, 22)).toEqual(["running failed"]);
  } finally {
    signal(pid, "SIGCONT");
  }
  await untilSeen(1, ({ state }) => state === "running");
});

test("an interface is plugged into a VM that runs, which sets it up at once and at its next boot, keeps it over a restore, and unplugged", async () => {
  const { bootCount: boots } = await lab.ask<Observation>("observe", 1);
  const before = await spec(1, "static");
  const second = { ...host(1, 2), interfaceId: "net1", mac: "52:54:00:00:02:21" };
  const two = network(2, [second]);
  await expect(lab.ask("ensure", withLink(before, two.cidr, second))).rejects.toThrow(/not on this host yet/);
  await lab.apply({ ...state, networks: [one, two] });
  expect(await diagnose(1, 22, "net1")).toEqual(["running ok", "interface failed"]);
  await lab.ask("ensure", withLink(before, two.cidr, second));
  await until(async () => (await ssh(1, "cat /sys/class/net/*/address")).includes(second.mac), 60_000);
  const isSetUp = async () => {
    await until(async () => (await ssh(1, "ip -4 address")).includes(`inet ${second.ipv4}/24`), 60_000);
    await until(async () => (await ssh(1, "ip -6 address")).includes(`inet6 ${second.ipv6}/64`), 60_000);
    expect(await ssh(1, "hostname", second.ipv6 ?? "")).toBe("vm1");
  };
  await isSetUp();
  await ssh(1, "ping -c 2 192.168.2.1");
  await expectSsh(() => diagnose(1, 22, "net1"));
  await lab.ask("reboot", 1, 1, 60_000);
  await untilSeen(1, ({ bootCount, milestones }) => bootCount > boots && milestones.ssh !== undefined);
  await isSetUp();
  await ssh(1, "ping -c 2 192.168.2.1");
  expect(await ssh(1, "ip route | grep ^default")).toMatch(new RegExp(`^default via ${one.gateway} \\S+ eth0 *$`));
  const bootId = "cat /proc/sys/kernel/random/boot_id";
  const [boot, { pid }] = [await ssh(1, bootId), await lab.ask<Observation>("observe", 1)];
  await lab.ask("takeMemory", 1, 1, 10);
  await ssh(
    1,
    "(sleep 1; cd /sys/class/net; for link in eth*; do ip address flush dev $link; done) >/dev/null 2>&1 </dev/null &",
  );
  await until(async () => (await diagnose(1, 22)).at(-1) !== "ssh ok", 60_000);
  const restored = await lab.ask<Observation>("restore", 1, 1, 11);
  expect(restored.pid).not.toBe(pid);
  expect([await ssh(1, bootId), await ssh(1, bootId, second.ipv4)]).toEqual([boot, boot]);
  await isSetUp();
  await lab.ask("ensure", before);
  expect(await ssh(1, "cat /sys/class/net/*/address")).not.toContain(second.mac);
  await lab.apply(state);
  expect(await ssh(1, "hostname")).toBe("vm1");
}, 300_000);

function withLink(before: MachineSpec, cidr: string, { mac, ipv4 }: { mac: string; ipv4: string }): MachineSpec {
  const link = { id: "net1", mac, driver: "bridge" as const, cidr, gateway: "192.168.2.1", dns: "192.168.2.1", ipv4 };
  return { ...before, interfaces: [...before.interfaces, link] };
}

function inUserMode({ interfaces, ...rest }: MachineSpec): MachineSpec {
  const first = interfaces.slice(0, 1).map((one) => ({ ...one, driver: "user" as const, sshHostPort: 22_221 }));
  return { ...rest, interfaces: first };
}

test("a VM keeps its address and its connections when the agent is killed, and its interface when it is stopped and started", async () => {
  const { pid } = await lab.ask<Observation>("observe", 1);
  await lab.killAgent();
  expect(await ssh(1, "hostname")).toBe("vm1");
  await lab.startAgent("hypervisorAgent.ts");
  expect(await lab.ask("observe", 1)).toMatchObject({ pid, state: "running" });
  await lab.ask("stop", 1);
  expect((await lab.status()).interfaces[0]).toMatchObject({ isUp: false });
  expect(await diagnose(1, 22)).toEqual(["running failed"]);
  await lab.ask("start", 1);
  await untilSeen(1, ({ milestones }) => milestones.ssh !== undefined);
  expect(await ssh(1, "hostname")).toBe("vm1");
}, 400_000);

test("a VM on a bridge keeps its network while the host has user-mode ones, says so, and later gets what it is told of then", async () => {
  const forward = { hostAddress: "0.0.0.0", hostPort: 2222, protocol: "tcp" as const, port: 22, ipv4: host(1, 1).ipv4 };
  const other = { ...forward, hostPort: 2223, ipv4: host(3, 1).ipv4 };
  const withForwards = { ...state, networks: [{ ...one, forwards: [forward, other] }] };
  const isLed = (hostPort: number) => hasSshBanner(lab.internet.path, { host: "203.0.113.2", port: hostPort });
  const second = { ...host(1, 2), interfaceId: "net1", mac: "52:54:00:00:02:22" };
  const two = network(2, [second]);
  await lab.apply({ ...withForwards, networks: [...withForwards.networks, two] });
  const bridged = await spec(1, "static");
  await lab.ask("ensure", withLink(bridged, two.cidr, second));
  await until(async () => (await ssh(1, "cat /sys/class/net/*/address")).includes(second.mac), 60_000);
  const link = { driver: "bridge", host: host(1, 1).ipv4, port: 22 };
  expect(await lab.ask("observe", 1)).toMatchObject({ state: "running", link });
  await lab.killAgent();
  await lab.startAgent("hypervisorAgent.ts", "user");
  expect(await lab.ask("host")).toMatchObject({ network: { driver: "user" } });
  expect(await lab.ask("observe", 1)).toMatchObject({ state: "running", link });
  await expectSsh(() => diagnose(1, 22));
  // As any change of it comes from now on: it is what it starts with next.
  await lab.ask("ensure", inUserMode(bridged));
  expect(await ssh(1, "cat /sys/class/net/*/address")).toContain(second.mac);
  await expectSsh(() => diagnose(1, 22));
  for (const hostPort of [2222, 2223]) await expect.poll(() => isLed(hostPort)).toBe(true);
  await lab.apply({ ...state, networks: [{ ...one, forwards: [forward] }] });
  expect(await isLed(2223)).toBe(false);
  await expect.poll(() => isLed(2222)).toBe(true);
  await lab.apply({ ...state, firewalls: [{ vmId: 1, interfaceId: "net0", ingress: [], egress: null }] });
  expect(await hasSshBanner(lab.host.path, { host: host(1, 1).ipv4, port: 22 })).toBe(false);
  await lab.apply(state);
  expect([await isLed(2222), await isLed(2223)]).toEqual([false, false]);
  expect(await ssh(1, "hostname")).toBe("vm1");
  await lab.killAgent();
  await lab.startAgent("hypervisorAgent.ts");
  expect(await lab.ask("host")).toMatchObject({ network: { driver: "bridge" }, degraded: [{ code: "tcg" }] });
  expect(await ssh(1, "hostname")).toBe("vm1");
  const anew = { ...second, mac: "52:54:00:00:02:23" };
  await lab.apply({ ...state, networks: [one, network(2, [anew])] });
  await lab.ask("ensure", withLink(bridged, two.cidr, anew));
  await until(async () => (await ssh(1, "cat /sys/class/net/*/address")).includes(anew.mac), 60_000);
  expect(await ssh(1, "cat /sys/class/net/*/address")).not.toContain(second.mac);
}, 180_000);
