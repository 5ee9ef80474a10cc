import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Firewall } from "../../lib/domain/firewall";
import type { ReachabilityCheck } from "../../lib/domain/hostNetwork";
import type { Operation } from "../../lib/domain/operation";
import type { AddedForward } from "../../lib/domain/portForward";
import type { Vm } from "../../lib/domain/vm";
import type { VmNetworking, VmTraffic } from "../../lib/domain/vmNetworking";
import { type Stack, startStack, until } from "../stack";
import { networkClient, type Problem, times } from "./networkClient";

let stack: Stack;
let client: ReturnType<typeof networkClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake", network: "bridge" });
  client = networkClient(stack);
});
afterAll(() => stack?.stop());

describe("interfaces", () => {
  test("a second one is plugged in while the VM runs, and unplugged, which frees its address", async () => {
    const { body: network } = await client.createNetwork("second", "10.20.0.0/24");
    const vm = await client.createReady("two-legs");
    const plugged = await client.act("POST", `/api/vms/${vm.id}/interfaces`, { network: "second", ipv4: "10.20.0.9" });
    expect(plugged).toMatchObject({ kind: "change-interfaces", status: "done", result: { interface: "net1" } });
    const { interfaces } = await client.networkingOf(vm);
    expect(interfaces).toMatchObject([
      { id: "net0", ipv4: vm.ipv4, dnsName: "two-legs.default.internal", status: { isUp: true } },
      { id: "net1", ipv4: "10.20.0.9", network: { name: "second" }, dnsName: "two-legs.second.internal" },
    ]);
    expect((await stack.api<Problem>("DELETE", `/api/networks/${network.id}`)).body.detail).toContain("two-legs");
    expect((await stack.api("DELETE", `/api/vms/${vm.id}/interfaces/net0`)).status).toBe(400);
    expect((await client.act("DELETE", `/api/vms/${vm.id}/interfaces/net1`)).status).toBe("done");
    expect((await client.networkingOf(vm)).interfaces).toHaveLength(1);
    expect(await client.addressesOf(network)).toMatchObject([
      { kind: "gateway" },
      { ipv4: "10.20.0.9", kind: "quarantined" },
    ]);
    await client.hostHas(
      "the host has let go of it",
      ({ interfaces }) => !interfaces.some(({ networkId }) => networkId === network.id),
    );
  });

  test("a clone has interfaces in the same networks, with addresses of its own, and keeps them over a stop", async () => {
    await client.createNetwork("copied", "10.21.0.0/24");
    const vm = await client.createReady("original");
    await client.act("POST", `/api/vms/${vm.id}/interfaces`, { network: "copied", ipv4: "10.21.0.9" });
    const { body: asked } = await stack.api<Operation>("POST", `/api/vms/${vm.id}/clone`, { name: "copy" });
    const clone = { id: asked.vm?.id } as Vm;
    const linksOf = async (of: Vm) =>
      (await client.networkingOf(of)).interfaces.map(({ id, network, ipv4 }) => [id, network.name, ipv4]);
    const own = await linksOf(clone);
    expect(own[0]?.[2]).not.toBe(vm.ipv4);
    expect(own).toEqual([
      ["net0", "default", expect.stringMatching(/^192\.168\.0\./)],
      ["net1", "copied", "10.21.0.2"],
    ]);
    await until("it runs", async () => (await stack.api<Vm>("GET", `/api/vms/${clone.id}`)).body.isReady);
    for (const act of ["stop", "start"]) await client.act("POST", `/api/vms/${clone.id}/${act}`, {});
    expect(await linksOf(clone)).toEqual(own);
    expect(await linksOf(vm)).toEqual([
      ["net0", "default", vm.ipv4],
      ["net1", "copied", "10.21.0.9"],
    ]);
  });

  test("why the VM can't be reached is asked of each by itself, and of none that the VM hasn't", async () => {
    await client.createNetwork("asked", "10.22.0.0/24");
    const vm = await client.createReady("asked-twice");
    await client.act("POST", `/api/vms/${vm.id}/interfaces`, { network: "asked" });
    const ask = (body: object) =>
      stack.api<{ checks: ReachabilityCheck[] } & Problem>("POST", `/api/vms/${vm.id}/diagnose`, body);
    const messages = async (body: object) => (await ask(body)).body.checks.map(({ message }) => message);
    expect(await messages({})).toContain("The VM's interface net0 is plugged into its network.");
    expect(await messages({ interface: "net1", port: 80 })).toContain(
      "The VM's interface net1 is plugged into its network.",
    );
    const refused = await ask({ interface: "net2" });
    expect(refused.status).toBe(400);
    expect(refused.body.fields?.interface).toContain("It has net0, net1.");
    expect((await ask({ interface: "eth0" })).body.fields).toHaveProperty("interface");
  });

  test("eight are the most, however many are asked for at once", async () => {
    const vm = await client.createReady("octopus");
    const names = Array.from({ length: 9 }, (_, index) => `arm-${index}`);
    for (const [index, name] of names.entries()) await client.createNetwork(name, `10.44.${index}.0/24`);
    const answers = await times(9, (index) =>
      stack.api<Operation>("POST", `/api/vms/${vm.id}/interfaces`, { network: names[index] }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(7).fill(202), 409, 409]);
    const { interfaces } = await client.networkingOf(vm);
    expect(new Set(interfaces.map(({ ipv4 }) => ipv4)).size).toBe(8);
    expect(new Set(interfaces.map(({ mac }) => mac)).size).toBe(8);
  });

  test("a limit is written, read and taken off; one for an interface that isn't there is refused", async () => {
    const vm = await client.createReady("slow");
    const limit = { ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: null };
    const path = `/api/vms/${vm.id}/interfaces/net0/limit`;
    expect((await stack.api<VmNetworking>("PUT", path, limit)).body.interfaces[0]?.limit).toEqual(limit);
    const none = { ingressBytesPerSecond: null, egressBytesPerSecond: null };
    expect((await stack.api<VmNetworking>("PUT", path, none)).body.interfaces[0]?.limit).toEqual(none);
    expect((await stack.api("PUT", path, { ...none, ingressBytesPerSecond: 1 })).status).toBe(400);
    expect((await stack.api("PUT", `/api/vms/${vm.id}/interfaces/net3/limit`, none)).status).toBe(404);
    expect((await stack.api("PUT", `/api/vms/${vm.id}/interfaces/eth0/limit`, none)).status).toBe(404);
  });
});

describe("forwards", () => {
  test("a port leads to one VM at a time, also where one forward is of all addresses and the other of one", async () => {
    const [one, other] = await Promise.all([client.createReady("one"), client.createReady("other")]);
    const add = (vm: Vm, body: object) => stack.api<AddedForward & Problem>("POST", `/api/vms/${vm.id}/forwards`, body);
    const { status, body: forward } = await add(one, { hostPort: 28_080, port: 80 });
    expect(status).toBe(201);
    expect(forward).toMatchObject({ hostAddress: "127.0.0.1", hostPort: 28_080, protocol: "tcp", port: 80 });
    for (const hostAddress of ["127.0.0.1", "0.0.0.0"]) {
      const refused = await add(other, { hostAddress, hostPort: 28_080, port: 80 });
      expect(refused.status).toBe(409);
      expect(refused.body.fields?.hostPort).toContain("one");
    }
    expect((await add(other, { hostPort: 28_080, port: 53, protocol: "udp" })).status).toBe(201);
    const consoles = await add(other, { hostPort: stack.settings.port, port: 80 });
    expect(consoles.body.fields?.hostPort).toContain("Cumulus itself");
    const programs = await add(other, { hostAddress: "0.0.0.0", hostPort: 22, port: 22 });
    expect(programs.body.fields?.hostPort).toContain("a program of the host listens there");
    const strangers = await add(other, { hostAddress: "9.9.9.9", hostPort: 443, port: 443 });
    expect(strangers.body.fields?.hostAddress).toContain("not an address of the host");
    const { pending, ...written } = forward;
    expect(pending).toBeNull();
    expect((await client.networkingOf(one)).forwards).toEqual([written]);
    expect((await stack.api("DELETE", `/api/vms/${other.id}/forwards/${forward.id}`)).status).toBe(404);
    const removed = await stack.api("DELETE", `/api/vms/${one.id}/forwards/${forward.id}`);
    expect(removed).toMatchObject({ status: 200, body: { pending: null } });
    expect((await add(other, { hostPort: 28_080, port: 80 })).status).toBe(201);
  });

  test("of many for one port at once, one is made", async () => {
    const vm = await client.createReady("crowded");
    const answers = await times(8, (index) =>
      stack.api("POST", `/api/vms/${vm.id}/forwards`, {
        hostPort: 28_090,
        port: 80 + index,
        hostAddress: index % 2 ? "0.0.0.0" : "127.0.0.1",
      }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });
});

test("a destroyed VM leaves no forward, limit, firewall or interface behind", async () => {
  const { body: network } = await client.createNetwork("left", "10.30.0.0/24");
  const { body: firewall } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "left", rules: [] });
  const vm = await client.createReady("leaves-nothing", { network: "left", firewalls: [firewall.id] });
  await client.act("POST", `/api/vms/${vm.id}/interfaces`, { network: "default" });
  await stack.api("POST", `/api/vms/${vm.id}/forwards`, { hostPort: 28_100, port: 80 });
  const limit = { ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: 1_000_000 };
  await stack.api("PUT", `/api/vms/${vm.id}/interfaces/net1/limit`, limit);
  await client.act("DELETE", `/api/vms/${vm.id}`);
  await client.hostHas(
    "the host knows nothing of it",
    ({ interfaces }) => !interfaces.some(({ vmId }) => vmId === vm.id),
  );
  expect((await stack.api("DELETE", `/api/firewalls/${firewall.id}`)).status).toBe(204);
  expect((await stack.api("DELETE", `/api/networks/${network.id}`)).body).toEqual({ pending: null });
  const again = await client.createReady("takes-the-port");
  expect((await stack.api("POST", `/api/vms/${again.id}/forwards`, { hostPort: 28_100, port: 80 })).status).toBe(201);
});

test("what a VM's interfaces carry is told every second, with rates, for as long as somebody listens", async () => {
  const vm = await client.createReady("talker");
  const stream = await fetch(`${stack.url}/api/vms/${vm.id}/traffic`, {
    headers: { authorization: `Bearer ${stack.token}` },
  });
  let text = "";
  const told: VmTraffic[] = [];
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const events = [...text.matchAll(/^event: traffic\ndata: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data ?? ""));
    told.splice(0, told.length, ...events);
    if (told.length >= 2) break;
  }
  const [first, second] = told.map(({ interfaces }) => interfaces[0]);
  expect(first).toMatchObject({ id: "net0", receivedBytesPerSecond: null });
  expect(second?.receivedBytes).toBeGreaterThan(first?.receivedBytes ?? 0);
  expect(second?.receivedBytesPerSecond).toBeGreaterThan(0);
  expect((await stack.api("GET", "/api/vms/999999/traffic")).status).toBe(404);
});

test("a VM stays connected as it was started when its host's networks change, says so, and moves at its next start", async () => {
  const restartAgent = async (network: "bridge" | "user") => {
    await stack.kill("agent");
    await stack.startAgent({ CUMULUS_NETWORK: network });
  };
  const read = async ({ id }: Vm) => (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
  const untilNext = (vm: Vm, next: Vm["network"]["nextDriver"]) =>
    until(`${vm.name} is told of the change`, async () => (await read(vm)).network.nextDriver === next);
  const restart = async ({ id }: Vm) => {
    for (const act of ["stop", "start"]) await client.act("POST", `/api/vms/${id}/${act}`, {});
  };

  const bridged = await client.createReady("bridged");
  expect(bridged).toMatchObject({
    ssh: { host: bridged.ipv4, port: 22 },
    network: { driver: "bridge", nextDriver: null },
  });
  await restartAgent("user");
  await untilNext(bridged, "user");
  expect(await read(bridged)).toMatchObject({
    ssh: { host: bridged.ipv4, port: 22 },
    network: { driver: "bridge" },
    statusReason: expect.stringContaining("its network's bridge"),
  });
  await restart(bridged);
  expect(await read(bridged)).toMatchObject({
    ssh: { host: "127.0.0.1" },
    network: { driver: "user", nextDriver: null },
    statusReason: null,
  });

  const port = (await read(bridged)).ssh.port;
  await restartAgent("bridge");
  await untilNext(bridged, "bridge");
  expect(await read(bridged)).toMatchObject({
    ssh: { host: "127.0.0.1", port },
    network: { driver: "user" },
    statusReason: expect.stringContaining("Stop it and start it"),
  });
  expect(await client.networkingOf(bridged)).toMatchObject({
    driver: "user",
    whyNot: expect.stringContaining("Stop it and start it"),
    whyNoForward: expect.stringContaining("Stop it and start it"),
    interfaces: [{ id: "net0", status: null }],
  });
  const { body: firewall } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "not yet", rules: [] });
  const refused: [string, string, object][] = [
    ["PUT", "firewalls", { firewalls: [firewall.id] }],
    ["POST", "forwards", { hostPort: 28_101, port: 80 }],
    ["POST", "interfaces", { network: "default" }],
    ["PUT", "interfaces/net0/limit", { ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: null }],
  ];
  for (const [method, path, body] of refused) {
    const { status, body: problem } = await stack.api<Problem>(method, `/api/vms/${bridged.id}/${path}`, body);
    expect([path, status, problem.detail]).toEqual([path, 409, expect.stringContaining("Stop it and start it")]);
  }
  await restart(bridged);
  expect(await read(bridged)).toMatchObject({
    ssh: { host: bridged.ipv4, port: 22 },
    network: { driver: "bridge", nextDriver: null },
    statusReason: null,
  });
});
