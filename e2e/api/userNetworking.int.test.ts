import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Firewall } from "../../lib/domain/firewall";
import type { Host } from "../../lib/domain/host";
import type { NetworkRemoval } from "../../lib/domain/network";
import type { AddedForward, PortForwardView } from "../../lib/domain/portForward";
import type { Vm } from "../../lib/domain/vm";
import { probePort } from "../../lib/hypervisor/network/portProbe";
import { freePort } from "../../lib/system/testing/freePort";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack, until } from "../stack";
import { networkClient, type Problem } from "./networkClient";

const restartAgent = async (stack: Stack, network: "bridge" | "user") => {
  await stack.kill("agent");
  await stack.startAgent({ CUMULUS_NETWORK: network });
};

describe("on a host with user-mode networks", () => {
  let stack: Stack;
  let client: ReturnType<typeof networkClient>;
  let vm: Vm;
  beforeAll(async () => {
    stack = await startStack({ hypervisor: "fake", network: "user" });
    client = networkClient(stack);
    vm = await client.createReady("user-mode");
  });
  afterAll(() => stack?.stop());

  const add = (body: object, to = vm) => stack.api<AddedForward & Problem>("POST", `/api/vms/${to.id}/forwards`, body);
  const remove = ({ id, vmId }: PortForwardView) =>
    stack.api<NetworkRemoval>("DELETE", `/api/vms/${vmId}/forwards/${id}`);

  test("a port of the loopback leads to one VM at a time", async () => {
    const other = await client.createReady("other");
    const hostPort = await freePort();
    const { status, body } = await add({ hostPort, port: 80 });
    const { pending, ...forward } = body;
    expect([status, pending, forward.whyNot]).toEqual([201, null, null]);
    expect(await client.networkingOf(vm)).toMatchObject({ driver: "user", whyNoForward: null, forwards: [forward] });
    const taken = await add({ hostPort, port: 80 }, other);
    expect([taken.status, taken.body.fields?.hostPort]).toEqual([409, expect.stringContaining("user-mode already")]);
    expect((await add({ hostPort, port: 53, protocol: "udp" }, other)).status).toBe(201);
    expect((await remove(forward)).body).toEqual({ pending: null });
    expect((await add({ hostPort, port: 80 }, other)).status).toBe(201);
  });

  test("other addresses than the loopback's are refused, with the reason", async () => {
    for (const hostAddress of ["0.0.0.0", "192.0.2.1"]) {
      const { status, body } = await add({ hostAddress, hostPort: 28_201, port: 80 });
      expect([status, body.fields?.hostAddress]).toEqual([400, expect.stringContaining("no firewall")]);
    }
  });

  test("a port that can't be had is refused: a program's, the console's, another VM's SSH, one for privileged programs", async () => {
    const program = createServer().listen(0, "127.0.0.1");
    await once(program, "listening");
    const address = program.address();
    const busy = typeof address === "object" && address ? address.port : 0;
    const refused: [hostPort: number, why: string][] = [
      [busy, "a program of the host listens there"],
      [stack.settings.port, "Cumulus itself listens there"],
      [vm.ssh.port, "it leads to the SSH of user-mode"],
      [80, "ports below 1024 are for programs with privileges"],
    ];
    for (const [hostPort, why] of refused) {
      const { status, body } = await add({ hostPort, port: 80 });
      expect([status, body.fields?.hostPort]).toEqual([409, expect.stringContaining(why)]);
    }
    program.close();
    await once(program, "close");
    expect((await add({ hostPort: busy, port: 80 })).status).toBe(201);
  });

  test("firewalls, limits and further interfaces are refused", async () => {
    const { body: firewall } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "none", rules: [] });
    const refused: [string, string, object][] = [
      ["PUT", "firewalls", { firewalls: [firewall.id] }],
      ["POST", "interfaces", { network: "default" }],
      ["PUT", "interfaces/net0/limit", { ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: null }],
    ];
    for (const [method, path, body] of refused) {
      const { status, body: problem } = await stack.api<Problem>(method, `/api/vms/${vm.id}/${path}`, body);
      expect([path, status, problem.detail]).toEqual([path, 409, expect.stringContaining("user-mode networks")]);
    }
  });
});

test("what a VM has from bridges is said not to be in effect once it runs in user mode, and when it starts", async () => {
  const stack = await startStack({ hypervisor: "fake", network: "bridge" });
  try {
    const client = networkClient(stack);
    const { body: firewall } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "wall", rules: [] });
    const vm = await client.createReady("moved", { firewalls: [firewall.id] });
    await client.createNetwork("second", "10.20.0.0/24");
    await client.act("POST", `/api/vms/${vm.id}/interfaces`, { network: "second" });
    for (const hostAddress of ["0.0.0.0", "127.0.0.1"]) {
      await stack.api("POST", `/api/vms/${vm.id}/forwards`, {
        hostAddress,
        hostPort: hostAddress === "0.0.0.0" ? 28_210 : 28_211,
        port: 80,
      });
    }
    const none = { whyNotPlugged: null };
    expect(await client.networkingOf(vm)).toMatchObject({
      interfaces: [none, none],
      forwards: [{ whyNot: null }, { whyNot: null }],
    });

    await restartAgent(stack, "user");
    await until("its next network is another", async () => {
      return (await stack.api<Vm>("GET", `/api/vms/${vm.id}`)).body.network.nextDriver === "user";
    });
    const late = await stack.api<Problem>("POST", `/api/vms/${vm.id}/forwards`, {
      hostPort: await freePort(),
      port: 80,
    });
    expect([late.status, late.body.detail]).toEqual([
      409,
      expect.stringContaining("still runs on its network's bridge"),
    ]);
    await client.act("POST", `/api/vms/${vm.id}/stop`, {});
    const start = await client.act("POST", `/api/vms/${vm.id}/start`, {});
    expect(start.message).toBe("It runs. Its firewalls are not in effect: it has a user-mode network.");
    expect(await client.networkingOf(vm)).toMatchObject({
      driver: "user",
      whyNot: expect.stringContaining("no firewalls"),
      whyNoForward: null,
      interfaces: [none, { id: "net1", status: null, whyNotPlugged: expect.stringContaining("not plugged in") }],
      forwards: [{ whyNot: expect.stringContaining("127.0.0.1 alone") }, { whyNot: null }],
    });
  } finally {
    await stack.stop();
  }
}, 120_000);

describe("with real guests", () => {
  let stack: Stack;
  let ssh: SshClient;
  let hostPort: number;
  beforeAll(async () => {
    hostPort = await freePort();
    ssh = await createSshClient();
    stack = await startStack({ network: "user" });
  }, 240_000);
  afterAll(async () => {
    await stack?.stop();
    await ssh?.remove();
  });

  const answers = async () => {
    const result = await probePort("127.0.0.1", hostPort, 3_000, 10_000);
    return result.outcome === "open" ? result.greeting.slice(0, 4) : result.outcome;
  };
  const consoleSeesAgent = () =>
    until("the console sees the agent", async () => (await stack.api<Host>("GET", "/api/host")).body.isReachable);
  const leadsToSsh = () => until("the port leads to the guest's SSH", async () => (await answers()) === "SSH-", 60_000);

  test("a forward is there while the VM runs, after its restart and the agent's crash, and gone when it is removed", async () => {
    const client = networkClient(stack);
    const vm = await client.createReady("forwarded", { sshKeys: [ssh.publicKey] });
    const add = () => stack.api<AddedForward>("POST", `/api/vms/${vm.id}/forwards`, { hostPort, port: 22 });
    const remove = (id = 0) => stack.api<NetworkRemoval>("DELETE", `/api/vms/${vm.id}/forwards/${id}`);
    const { status, body: forward } = await add();
    expect(status).toBe(201);
    await leadsToSsh();
    for (const act of ["stop", "start"]) await client.act("POST", `/api/vms/${vm.id}/${act}`, {});
    await leadsToSsh();
    await stack.kill("agent");
    expect(await answers()).toBe("SSH-");
    await stack.startAgent();
    await consoleSeesAgent();
    expect(await answers()).toBe("SSH-");
    await client.act("POST", `/api/vms/${vm.id}/stop`, {});
    expect(await answers()).toBe("refused");
    await stack.kill("agent");
    await stack.startAgent();
    await consoleSeesAgent();
    await client.act("POST", `/api/vms/${vm.id}/start`, {});
    await leadsToSsh();
    expect((await remove(forward.id)).body).toEqual({ pending: null });
    expect(await answers()).toBe("refused");
    expect((await add()).status).toBe(201);
    await leadsToSsh();
    await stack.kill("agent");
    const [again] = (await client.networkingOf(vm)).forwards;
    expect((await remove(again?.id)).body.pending).toMatch(/^The host has not put/);
    expect(await answers()).toBe("SSH-");
    await stack.startAgent();
    await until("the port leads nowhere", async () => (await answers()) === "refused", 60_000);
  }, 400_000);
});
