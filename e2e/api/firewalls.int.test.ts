import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Firewall } from "../../lib/domain/firewall";
import type { ReachabilityCheck } from "../../lib/domain/hostNetwork";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack, until } from "../stack";
import { type List, networkClient, type Problem } from "./networkClient";

let stack: Stack;
let client: ReturnType<typeof networkClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake", network: "bridge" });
  client = networkClient(stack);
});
afterAll(() => stack?.stop());

describe("firewalls", () => {
  const ssh = { direction: "ingress", protocol: "tcp", ports: [{ from: 22, to: 22 }], cidrs: [], firewalls: [] };
  const write = (name: string, rules: object[]) =>
    stack.api<Firewall & Problem>("POST", "/api/firewalls", { name, rules });
  const outcomes = async (vm: Vm, port: number) => {
    const { body } = await stack.api<{ checks: ReachabilityCheck[] }>("POST", `/api/vms/${vm.id}/diagnose`, { port });
    return Object.fromEntries(body.checks.map(({ name, outcome }) => [name, outcome]));
  };

  test("the preset is one, and given to a VM the host enforces it; taken off, it doesn't", async () => {
    const { body: presets } = await stack.api<List<{ name: string; rules: object[] }>>("GET", "/api/firewall-presets");
    const preset = presets.items.find(({ name }) => name === "SSH only");
    expect(preset?.rules).toEqual([ssh]);
    const { status, body: firewall } = await write("ssh only", preset?.rules ?? []);
    expect(status).toBe(201);
    const vm = await client.createReady("walled");
    expect((await outcomes(vm, 80)).firewall).toBe("ok");
    await stack.api("PUT", `/api/vms/${vm.id}/firewalls`, { firewalls: [firewall.id] });
    expect((await outcomes(vm, 80)).firewall).toBe("failed");
    expect((await outcomes(vm, 22)).firewall).toBe("ok");
    expect((await stack.api<Firewall>("GET", `/api/firewalls/${firewall.id}`)).body.vms).toEqual([
      { id: vm.id, name: "walled" },
    ]);
    const refused = await stack.api<Problem>("DELETE", `/api/firewalls/${firewall.id}`);
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain("walled");
    await stack.api("PUT", `/api/vms/${vm.id}/firewalls`, { firewalls: [] });
    expect((await outcomes(vm, 80)).firewall).toBe("ok");
    expect((await stack.api("DELETE", `/api/firewalls/${firewall.id}`)).status).toBe(204);
  });

  test("one without rules closes what comes in, and not when it is taken off", async () => {
    const { body: firewall } = await write("nothing comes in", []);
    const vm = await client.createReady("shut");
    await stack.api("PUT", `/api/vms/${vm.id}/firewalls`, { firewalls: [firewall.id] });
    await until("the host keeps port 22 closed", async () => (await outcomes(vm, 22)).firewall === "failed");
    await stack.api("PUT", `/api/vms/${vm.id}/firewalls`, { firewalls: [] });
    await until("the host lets port 22 through", async () => (await outcomes(vm, 22)).firewall === "ok");
  });

  test("a VM may have one from its creation, and a rewritten one takes effect", async () => {
    const { body: firewall } = await write("from the start", [ssh]);
    const vm = await client.createReady("born-walled", { firewalls: [firewall.id] });
    expect((await outcomes(vm, 80)).firewall).toBe("failed");
    const web = { ...ssh, ports: [{ from: 80, to: 81 }] };
    await stack.api("PUT", `/api/firewalls/${firewall.id}`, { name: "from the start", rules: [ssh, web] });
    expect((await outcomes(vm, 80)).firewall).toBe("ok");
    await client.act("DELETE", `/api/vms/${vm.id}`);
    expect((await stack.api("DELETE", `/api/firewalls/${firewall.id}`)).status).toBe(204);
  });

  test("one that a rule of another names is not deleted", async () => {
    const { body: named } = await write("bastions", [ssh]);
    const { body: naming } = await write("behind bastions", [{ ...ssh, firewalls: [named.id] }]);
    expect((await stack.api<Problem>("DELETE", `/api/firewalls/${named.id}`)).body.detail).toContain("behind bastions");
    expect((await stack.api("DELETE", `/api/firewalls/${naming.id}`)).status).toBe(204);
    expect((await stack.api("DELETE", `/api/firewalls/${named.id}`)).status).toBe(204);
  });

  test.each([
    ["no name", { name: " ", rules: [] }, "name"],
    ["a direction that isn't there", { name: "a", rules: [{ ...ssh, direction: "up" }] }, "rules.0.direction"],
    ["ports of ICMP", { name: "a", rules: [{ ...ssh, protocol: "icmp" }] }, "rules.0.ports"],
    ["port 0", { name: "a", rules: [{ ...ssh, ports: [{ from: 0, to: 1 }] }] }, "rules.0.ports.0.from"],
    ["ports that go down", { name: "a", rules: [{ ...ssh, ports: [{ from: 9, to: 8 }] }] }, "rules.0.ports.0"],
    ["a range that is none", { name: "a", rules: [{ ...ssh, cidrs: ["10.0.0.0/33"] }] }, "rules.0.cidrs.0"],
    ["nft's own words", { name: "a", rules: [{ ...ssh, cidrs: ["0.0.0.0/0; flush ruleset"] }] }, "rules.0.cidrs.0"],
    ["a firewall that isn't there", { name: "a", rules: [{ ...ssh, firewalls: [999_999] }] }, "rules.0.firewalls"],
  ])("%s is refused by its field", async (_what, body, field) => {
    const { status, body: problem } = await stack.api<Problem>("POST", "/api/firewalls", body);
    expect(status).toBe(400);
    expect(Object.keys(problem.fields ?? {})).toContain(field);
  });
});
