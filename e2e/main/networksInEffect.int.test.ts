import { afterAll, beforeAll, expect, test } from "vitest";
import type { Firewall } from "../../lib/domain/firewall";
import type { Host } from "../../lib/domain/host";
import type { Network, NetworkRemoval } from "../../lib/domain/network";
import type { AddedForward } from "../../lib/domain/portForward";
import type { Vm } from "../../lib/domain/vm";
import type { VmNetworking } from "../../lib/domain/vmNetworking";
import { bridgeName, networkNames } from "../../lib/hypervisor/network/names";
import { LabNamespace } from "../../lib/hypervisor/testing/lab/lab";
import { signal } from "../../lib/system/testing/signal";
import { BridgeHost } from "../bridgeHost";
import { bootMs, type Stack, startStack, until } from "../stack";

let lab: BridgeHost;
let stack: Stack;
let inner: LabNamespace;
let vm: Vm;
let firewall: Firewall;

beforeAll(async () => {
  lab = await BridgeHost.make();
  stack = await startStack({ network: "bridge", host: lab.host });
  inner = new LabNamespace(networkNames(stack.settings.runDir).namespace);
  vm = (await stack.api<Vm>("POST", "/api/vms", { name: "walled", image: "mini", size: "nano" })).body;
  // A guest that boots keeps the host from doing what it is told in the time in which an answer is awaited.
  await until("it is ready", async () => (await stack.api<Vm>("GET", `/api/vms/${vm.id}`)).body.isReady, bootMs);
  firewall = (await stack.api<Firewall>("POST", "/api/firewalls", rulesFor(4242))).body;
  await until("nothing is pending", async () => (await networking()).pending === null);
}, 240_000 + bootMs);
afterAll(async () => {
  await stack?.stop();
  await lab?.remove();
});

const rulesFor = (port: number) => ({
  name: "one port",
  rules: [{ direction: "ingress", protocol: "tcp", ports: [{ from: port, to: port }] }],
});
const notInEffect = /^The host has not put the last change of its networks into effect yet: ./;
const networking = async () => (await stack.api<VmNetworking>("GET", `/api/vms/${vm.id}/networking`)).body;
const setFirewalls = (...firewalls: number[]) =>
  stack.api<VmNetworking>("PUT", `/api/vms/${vm.id}/firewalls`, { firewalls });
const makeNetwork = async (cidr: string) =>
  (await stack.api<Network>("POST", "/api/networks", { name: "passing", cidr })).body;
const bridges = () => inner.run("ip", ["-brief", "link", "show", "type", "bridge"]);
const rules = (space: LabNamespace) => space.run("nft", ["list", "ruleset"]);

test("firewalls, forwards and limits are in effect on the host when the answer comes", async () => {
  expect((await setFirewalls(firewall.id)).body).toMatchObject({ firewalls: [firewall.id], pending: null });
  expect(await rules(inner)).toContain("4242");
  const rewritten = await stack.api<Firewall>("PUT", `/api/firewalls/${firewall.id}`, rulesFor(4343));
  expect(rewritten.body.pending).toBeNull();
  expect(await rules(inner)).toContain("4343");
  expect(await rules(inner)).not.toContain("4242");

  const forwards = `/api/vms/${vm.id}/forwards`;
  const { body: forward } = await stack.api<AddedForward>("POST", forwards, { hostPort: 24_242, port: 80 });
  expect(forward.pending).toBeNull();
  expect(await rules(lab.host)).toContain("24242");
  expect((await stack.api("DELETE", `${forwards}/${forward.id}`)).body).toEqual({ pending: null });
  expect(await rules(lab.host)).not.toContain("24242");

  const limit = { ingressBytesPerSecond: 1_000_000, egressBytesPerSecond: null };
  const limited = await stack.api<VmNetworking>("PUT", `/api/vms/${vm.id}/interfaces/net0/limit`, limit);
  expect(limited.body.pending).toBeNull();
  expect(await inner.run("tc", ["qdisc", "show", "dev", `t${vm.id}n0`])).toContain("tbf");

  const changed = await stack.api<Network>("PATCH", "/api/networks/1", { dnsServers: ["203.0.113.1"] });
  expect(changed.body).toMatchObject({ dnsServers: ["203.0.113.1"], pending: null });
  expect((await setFirewalls()).body.pending).toBeNull();
  expect(await rules(inner)).not.toContain("4343");

  const { id } = await makeNetwork("10.77.0.0/24");
  expect(await bridges()).toContain(bridgeName(id));
  expect((await stack.api("DELETE", `/api/networks/${id}`)).body).toEqual({ pending: null });
  expect(await bridges()).not.toContain(bridgeName(id));
});

test("while the agent hangs, it is said of what is removed that the host has it still; it is gone once it goes on", async () => {
  const forwards = `/api/vms/${vm.id}/forwards`;
  const { body: forward } = await stack.api<AddedForward>("POST", forwards, { hostPort: 24_243, port: 80 });
  const { id } = await makeNetwork("10.78.0.0/24");
  const agentPid = await stack.pidOf("agent");
  signal(agentPid, "SIGSTOP");
  try {
    for (const path of [`${forwards}/${forward.id}`, `/api/networks/${id}`]) {
      const { status, body } = await stack.api<NetworkRemoval>("DELETE", path);
      expect([status, body.pending]).toEqual([200, expect.stringMatching(notInEffect)]);
    }
    expect(await rules(lab.host)).toContain("24243");
    expect(await bridges()).toContain(bridgeName(id));
  } finally {
    signal(agentPid, "SIGCONT");
  }
  await until("nothing is pending", async () => (await networking()).pending === null);
  expect(await rules(lab.host)).not.toContain("24243");
  expect(await bridges()).not.toContain(bridgeName(id));
}, 90_000);

test("while the agent hangs, changes are written and said not to be in effect; they are once it goes on", async () => {
  const agentPid = await stack.pidOf("agent");
  signal(agentPid, "SIGSTOP");
  try {
    const { status, body } = await setFirewalls(firewall.id);
    expect([status, body.firewalls]).toEqual([200, [firewall.id]]);
    expect(body.pending).toMatch(notInEffect);
    expect(await rules(inner)).not.toContain("4343");
    expect((await stack.api<Host>("GET", "/api/host")).body.networksPending).toMatch(notInEffect);
    // Asked again, it is still so, if not for the same reason.
    expect((await setFirewalls(firewall.id)).body.pending).toMatch(notInEffect);
  } finally {
    signal(agentPid, "SIGCONT");
  }
  await until("nothing is pending", async () => (await networking()).pending === null);
  expect(await rules(inner)).toContain("4343");
  expect((await stack.api<Host>("GET", "/api/host")).body.networksPending).toBeNull();
}, 90_000);

test("while the agent is away, what is in effect is not said to be pending, what is changed is, and it is in effect when the agent is back", async () => {
  await stack.kill("agent");
  await until("the host is seen to be away", async () => {
    const { body } = await stack.api<Host>("GET", "/api/host");
    expect(body.networksPending).toBeNull();
    return !body.isReachable;
  });
  const { body: changed } = await stack.api<Firewall>("PUT", `/api/firewalls/${firewall.id}`, rulesFor(4444));
  expect(changed.pending).toContain("agent doesn't answer");
  expect((await networking()).pending).toBe(changed.pending);
  await stack.startAgent();
  await until("nothing is pending", async () => (await networking()).pending === null);
  expect(await rules(inner)).toContain("4444");
  expect(await rules(inner)).not.toContain("4343");
}, 90_000);
