import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState, PortForward } from "../domain/hostNetwork";
import type { MachineSpec } from "../domain/machine";
import { freePort } from "../system/testing/freePort";
import type { Hypervisor } from "./hypervisor";
import { probePort } from "./network/portProbe";
import { MiniGuests } from "./testing/miniGuests";
import { TestHost } from "./testing/testHost";
import { until } from "./testing/until";

let host: TestHost;
let guests: MiniGuests;
let agent: Hypervisor;
let spec: MachineSpec;

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
  agent = await host.agent();
  spec = await guests.spec(1);
  await guests.start(agent, spec);
}, 240_000);
afterAll(async () => {
  await guests?.close();
  await host?.close();
});

/** What the console tells of the guest's network when these ports are to lead to it. */
function stateWith(...forwards: Partial<PortForward>[]): NetworkState {
  const [link] = spec.interfaces;
  if (link === undefined) throw new Error("The guest has no interface.");
  const { ipv4, mac, cidr, gateway } = link;
  return {
    networks: [
      {
        ...{ id: 1, name: "default", cidr, gateway, domain: "default.internal", dnsServers: [] },
        ...{ outside: "nat", reaches: [], ipv6: null },
        hosts: [{ vmId: 1, interfaceId: "net0", mac, ipv4, ipv6: null, name: "vm-1" }],
        forwards: forwards.map((forward) => ({
          ...{ hostAddress: "127.0.0.1", protocol: "tcp", hostPort: 1, port: 22, ipv4 },
          ...forward,
        })),
      },
    ],
    firewalls: [],
    limits: [],
  };
}

/** The word that whoever stands behind a port of the loopback begins with. */
async function greetingOf(port: number): Promise<string> {
  const result = await probePort("127.0.0.1", port, 3_000, 10_000);
  return result.outcome === "open" ? result.greeting.slice(0, 4) : result.outcome;
}

async function restartAgent(): Promise<void> {
  await agent.close();
  agent = await host.agent();
}

test("a port leads to the guest's as soon as it is asked for, while its connections go on, and no more once it isn't", async () => {
  const [one, other] = [await freePort(), await freePort()];
  await agent.applyNetworks(stateWith({ hostPort: one }));
  await expect.poll(() => greetingOf(one)).toBe("SSH-");
  await expect
    .poll(() => agent.diagnose(1, "net0", 22))
    .toContainEqual(expect.objectContaining({ name: "ssh", outcome: "ok" }));
  const byOne = { ...spec, interfaces: spec.interfaces.map((link) => ({ ...link, sshHostPort: one })) };
  const waiting = guests.run(byOne, "touch /tmp/waits; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo done");
  await until(async () => (await guests.run(spec, "ls /tmp")).includes("waits"));
  await agent.applyNetworks(stateWith({ hostPort: other }));
  expect(await greetingOf(one)).toBe("refused");
  await expect.poll(() => greetingOf(other)).toBe("SSH-");
  await guests.run(spec, "touch /tmp/go");
  expect(await waiting).toBe("done");
  await agent.applyNetworks(stateWith());
  expect(await greetingOf(other)).toBe("refused");
  expect((await agent.networkStatus()).brokenForwards).toEqual([]);
});

test("a port that leads to another of the guest's is changed in place", async () => {
  const hostPort = await freePort();
  await agent.applyNetworks(stateWith({ hostPort, port: 81 }));
  expect(await agent.diagnose(1, "net0", 81)).toMatchObject([
    { name: "running", outcome: "ok" },
    { name: "route", outcome: "ok" },
    { name: "port", outcome: "failed", message: "Nothing listens on port 81." },
  ]);
  await agent.applyNetworks(stateWith({ hostPort }));
  await expect.poll(() => greetingOf(hostPort)).toBe("SSH-");
  expect(await agent.diagnose(1, "net0", 81)).toMatchObject([
    { name: "running" },
    { name: "route", outcome: "failed", fix: expect.stringContaining("Forward a port") },
  ]);
});

test("packets of UDP are forwarded too", async () => {
  const hostPort = await freePort();
  // udp(7), "NoPorts": packets that came to a port on which nobody waits.
  const arrived = async () => Number(/^Udp: \d+ (\d+)/m.exec(await guests.run(spec, "cat /proc/net/snmp"))?.[1]);
  const before = await arrived();
  await agent.applyNetworks(stateWith({ hostPort, protocol: "udp", port: 5353 }));
  const socket = createSocket("udp4");
  await until(async () => {
    socket.send("hello", hostPort, "127.0.0.1");
    return (await arrived()) > before;
  });
  socket.close();
  expect(await agent.whyPortTaken("udp", hostPort)).toContain("listens there");
  expect(await agent.whyPortTaken("tcp", hostPort)).toBeNull();
});

test("forwards are there after the VM's restart, an agent's, and a restore with memory", async () => {
  const hostPort = await freePort();
  await agent.applyNetworks(stateWith({ hostPort }));
  await agent.stop(1);
  expect(await greetingOf(hostPort)).toBe("refused");
  await restartAgent();
  await guests.start(agent, spec);
  await expect.poll(() => greetingOf(hostPort)).toBe("SSH-");
  await restartAgent();
  await until(async () => (await greetingOf(hostPort)) === "SSH-");
  const report = { progress: () => {}, log: () => {} };
  const { signal } = new AbortController();
  await agent.takeSnapshot(1, { snapshotId: 1, operationId: 1, memory: true, freeze: false }, report, signal);
  const later = await freePort();
  await agent.applyNetworks(stateWith({ hostPort: later }));
  await agent.restoreSnapshot(1, { snapshotId: 1, operationId: 2 }, report, signal);
  await expect.poll(() => greetingOf(later)).toBe("SSH-");
  expect(await greetingOf(hostPort)).toBe("refused");
}, 240_000);

test("a port that a program of the host has is told, taken from nobody, and forwarded once it is free", async () => {
  const program = createServer((socket) => socket.end("mine")).listen(0, "127.0.0.1");
  await once(program, "listening");
  const address = program.address();
  const hostPort = typeof address === "object" && address ? address.port : 0;
  expect(await agent.whyPortTaken("tcp", hostPort)).toContain("a program of the host listens there");
  // 0 on a host where any port is anybody's, as in many containers.
  const firstFree = Number(await readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
  if (firstFree > 1) expect(await agent.whyPortTaken("tcp", firstFree - 1)).toContain("privileges");
  const free = await freePort();
  await agent.applyNetworks(stateWith({ hostPort, port: 80 }, { hostPort: free }));
  expect(await greetingOf(hostPort)).toBe("mine");
  await expect.poll(() => greetingOf(free)).toBe("SSH-");
  const { brokenForwards } = await agent.networkStatus();
  expect(brokenForwards).toMatchObject([{ vmId: 1, hostPort, reason: expect.stringContaining("listens there") }]);
  expect((await agent.host()).degraded).toContainEqual(expect.objectContaining({ code: "forwards" }));
  expect(await agent.diagnose(1, "net0", 80)).toContainEqual(
    expect.objectContaining({ name: "route", outcome: "failed", message: brokenForwards[0]?.reason }),
  );
  program.close();
  await until(async () => (await agent.networkStatus()).brokenForwards.length === 0);
  expect(await agent.whyPortTaken("tcp", hostPort)).not.toBeNull();
});

test("while QEMU hangs, a port that was to lead to the guest no more is told to lead there still, and is let go of when it goes on", async () => {
  const hostPort = await freePort();
  await agent.applyNetworks(stateWith({ hostPort }));
  const { pid } = await agent.observe(1);
  if (pid === null) throw new Error("The guest has no QEMU.");
  process.kill(pid, "SIGSTOP");
  try {
    await agent.applyNetworks(stateWith());
    expect((await agent.networkStatus()).brokenForwards).toMatchObject([
      { vmId: 1, protocol: "tcp", hostPort, reason: expect.stringContaining("still leads to the VM's port 22") },
    ]);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await until(async () => (await agent.networkStatus()).brokenForwards.length === 0);
  expect(await greetingOf(hostPort)).toBe("refused");
});

test("addresses other than the loopback's are not forwarded, and the guest's SSH stays", async () => {
  const hostPort = await freePort();
  await agent.applyNetworks(stateWith({ hostAddress: "0.0.0.0", hostPort }));
  expect(await greetingOf(hostPort)).toBe("refused");
  expect(await guests.run(spec, "hostname")).toBe("vm-1");
});

test("a guest without a way out reaches nobody, not the host either, and is reached by its ports", async () => {
  const program = createServer((socket) => socket.end("mine")).listen(0, "127.0.0.1");
  await once(program, "listening");
  const address = program.address();
  const port = typeof address === "object" && address ? address.port : 0;
  // The gateway stands for the host, on whose loopback the program listens.
  const reads = (of: MachineSpec) => guests.run(of, `nc -w 5 192.168.0.1 ${port} < /dev/null || echo nobody`);
  expect(await reads(spec)).toBe("mine");
  const made = await guests.spec(2);
  const cut = { ...made, interfaces: made.interfaces.map((link) => ({ ...link, isRestricted: true })) };
  await guests.start(agent, cut);
  expect(await reads(cut)).toBe("nobody");
  expect(await guests.run(cut, "ip -4 address show eth0")).toContain("192.168.0.3/24");
  program.close();
}, 240_000);
