import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPool } from "../../lib/db/client";
import type { Network, NetworkAddress } from "../../lib/domain/network";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack } from "../stack";
import { type List, networkClient, type Problem, times } from "./networkClient";

let stack: Stack;
let client: ReturnType<typeof networkClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake", network: "bridge" });
  client = networkClient(stack);
});
afterAll(() => stack?.stop());

describe("networks", () => {
  test("the default one is there from the start, and can be neither deleted nor renamed", async () => {
    const { body } = await stack.api<List<Network>>("GET", "/api/networks");
    const network = body.items.find(({ name }) => name === "default");
    expect(network).toMatchObject({ cidr: "192.168.0.0/24", gateway: "192.168.0.1", domain: "default.internal" });
    expect((await stack.api("DELETE", `/api/networks/${network?.id}`)).status).toBe(409);
    expect((await stack.api("PATCH", `/api/networks/${network?.id}`, { name: "other" })).status).toBe(409);
  });

  test("create, read, change, delete: the host is told each time", async () => {
    const { status, body: network } = await client.createNetwork("lifetime", "10.1.2.3/24", { ipv6: true });
    expect(status).toBe(201);
    expect(network).toMatchObject({
      cidr: "10.1.2.0/24",
      gateway: "10.1.2.1",
      domain: "lifetime.internal",
      outside: "nat",
      driver: "bridge",
      freeCount: 252,
      ipv6Cidr: expect.stringMatching(/^fd[0-9a-f]{2}:.*::\/64$/),
    });
    const changes = { name: "renamed", outside: "none", dnsServers: ["9.9.9.9"], description: "for tests" };
    const changed = await stack.api<Network>("PATCH", `/api/networks/${network.id}`, changes);
    expect(changed.body).toMatchObject({ ...changes, domain: "renamed.internal", cidr: "10.1.2.0/24" });
    expect((await stack.api<Network>("GET", `/api/networks/${network.id}`)).body).toEqual(changed.body);
    const deleted = await stack.api("DELETE", `/api/networks/${network.id}`);
    expect(deleted).toMatchObject({ status: 200, body: { pending: null } });
    expect((await stack.api("GET", `/api/networks/${network.id}`)).status).toBe(404);
  });

  test("its gateway and its domain can be chosen: VMs are given neither's address, and are named by it", async () => {
    const chosen = {
      gateway: "10.20.0.254",
      domain: "lab.example",
      range: { first: "10.20.0.1", last: "10.20.0.252" },
    };
    const { status, body: network } = await client.createNetwork("chosen", "10.20.0.0/24", chosen);
    expect(status).toBe(201);
    // The last but the gateway's is the name server's with user-mode networks.
    expect(network).toMatchObject({ ...chosen, freeCount: 252 });
    const { body: vm } = await client.create("first", { network: "chosen" });
    expect(vm.ipv4).toBe("10.20.0.1");
    expect((await client.networkingOf(vm)).interfaces[0]?.dnsName).toBe("first.lab.example");
    expect((await client.create("second", { network: "chosen", ipv4: "10.20.0.254" })).body.fields?.ipv4).toBeDefined();
    const renamed = await stack.api<Network>("PATCH", `/api/networks/${network.id}`, { name: "renamed-chosen" });
    expect(renamed.body).toMatchObject({ name: "renamed-chosen", domain: "lab.example", gateway: "10.20.0.254" });
  });

  test("two networks never share a domain, whether it was chosen or goes with the name", async () => {
    await client.createNetwork("owner", "10.21.0.0/24", { domain: "later.internal" });
    const chosen = await client.createNetwork("thief", "10.22.0.0/24", { domain: "later.internal" });
    expect([chosen.status, chosen.body.fields?.domain]).toEqual([409, expect.stringContaining("owner")]);
    const named = await client.createNetwork("later", "10.22.0.0/24");
    expect([named.status, named.body.fields?.name]).toEqual([409, expect.stringContaining("owner")]);
    const { body: other } = await client.createNetwork("other-name", "10.22.0.0/24");
    const renamed = await stack.api<Problem>("PATCH", `/api/networks/${other.id}`, { name: "later" });
    expect([renamed.status, renamed.body.fields?.name]).toEqual([409, expect.stringContaining("owner")]);
  });

  test("its range grows and shrinks as long as no VM's address is left outside, which the refusal names", async () => {
    const { body: network } = await client.createNetwork("elastic", "10.23.0.0/24");
    const change = (range: object | null) =>
      stack.api<Network & Problem>("PATCH", `/api/networks/${network.id}`, { range });
    const { body: vm } = await client.create("dweller", { network: "elastic" });
    expect(vm.ipv4).toBe("10.23.0.2");
    const refused = await change({ first: "10.23.0.10", last: "10.23.0.19" });
    expect([refused.status, refused.body.fields?.range]).toEqual([409, expect.stringContaining("10.23.0.2 (dweller)")]);
    expect((await change({ first: "10.23.0.2", last: "10.23.0.3" })).body).toMatchObject({ freeCount: 1 });
    expect((await client.create("filler", { network: "elastic" })).status).toBe(201);
    expect((await client.create("late", { network: "elastic" })).status).toBe(409);
    // One that asked for its address by itself is in nobody's way.
    expect((await client.create("apart", { network: "elastic", ipv4: "10.23.0.99" })).status).toBe(201);
    expect((await change({ first: "10.23.0.2", last: "10.23.0.9" })).status).toBe(200);
    expect((await client.create("late", { network: "elastic" })).body.ipv4).toBe("10.23.0.4");
    expect((await change(null)).body).toMatchObject({ range: null });
    for (const range of [
      { first: "10.24.0.2", last: "10.24.0.9" },
      { first: "10.23.0.1", last: "10.23.0.9" },
      { first: "10.23.0.9", last: "10.23.0.2" },
    ]) {
      const { status, body } = await change(range);
      expect([status, Object.keys(body.fields ?? {})]).toEqual([400, ["range"]]);
    }
  });

  test("IPv6 can be switched on later, and off again while no VM is in the network", async () => {
    const { body: network } = await client.createNetwork("sixth", "10.25.0.0/24");
    const change = (ipv6: boolean) => stack.api<Network & Problem>("PATCH", `/api/networks/${network.id}`, { ipv6 });
    const { ipv6Cidr } = (await change(true)).body;
    expect(ipv6Cidr).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/);
    expect((await change(true)).body.ipv6Cidr).toBe(ipv6Cidr);
    const { body: vm } = await client.create("six", { network: "sixth" });
    const refused = await change(false);
    expect([refused.status, refused.body.fields?.ipv6]).toEqual([409, expect.stringContaining("sixth: six.")]);
    const ipv6 = ipv6Cidr?.replace("::/64", "::a19:2");
    expect((await client.networkingOf(vm)).interfaces).toMatchObject([{ ipv4: "10.25.0.2", ipv6 }]);
    expect(await client.addressesOf(network)).toMatchObject([
      { kind: "gateway", ipv6: ipv6Cidr?.replace("::/64", "::1") },
      { kind: "vm", ipv6 },
    ]);
  });

  test("one that overlaps another network, or a route of the host, is refused by the name of what is in the way", async () => {
    const { body: network } = await client.createNetwork("wide", "10.4.0.0/16");
    for (const [cidr, names] of [
      ["10.4.7.0/24", "wide"],
      ["192.168.0.128/25", "default"],
      ["172.31.5.0/24", "172.31.0.0/16"],
    ] as const) {
      const { status, body } = await client.createNetwork("narrow", cidr);
      expect(status).toBe(409);
      expect(body.fields?.cidr).toContain(names);
    }
    expect((await client.createNetwork("wide", "10.5.0.0/24")).body.fields?.name).toContain("wide");
    await stack.api("DELETE", `/api/networks/${network.id}`);
  });

  test("two that overlap, made at once: one of them is", async () => {
    const answers = await times(4, (index) => client.createNetwork(`race-${index}`, `10.6.${index % 2}.0/23`));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  test("one with VMs in it is not deleted, and the refusal names them; without them it is, also after the VM is gone", async () => {
    const { body: network } = await client.createNetwork("occupied", "10.7.0.0/24");
    const vm = await client.createReady("tenant", { network: "occupied" });
    const refused = await stack.api<Problem>("DELETE", `/api/networks/${network.id}`);
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain("tenant");
    await client.act("DELETE", `/api/vms/${vm.id}`);
    const deleted = await stack.api("DELETE", `/api/networks/${network.id}`);
    expect(deleted).toMatchObject({ status: 200, body: { pending: null } });
  });

  test.each([
    ["no name", { cidr: "10.8.0.0/24" }, "name"],
    ["a name with a dot", { name: "a.b", cidr: "10.8.0.0/24" }, "name"],
    ["a public range", { name: "a", cidr: "8.8.8.0/24" }, "cidr"],
    ["a range that is none", { name: "a", cidr: "10.8.0.0/33" }, "cidr"],
    ["a range of four addresses", { name: "a", cidr: "10.8.0.0/30" }, "cidr"],
    ["a range of a million addresses", { name: "a", cidr: "10.0.0.0/12" }, "cidr"],
    [
      "addresses of another range",
      { name: "a", cidr: "10.8.0.0/24", range: { first: "10.9.0.2", last: "10.9.0.9" } },
      "range",
    ],
    [
      "the gateway's address for VMs",
      { name: "a", cidr: "10.8.0.0/24", range: { first: "10.8.0.1", last: "10.8.0.9" } },
      "range",
    ],
    ["a gateway elsewhere", { name: "a", cidr: "10.8.0.0/24", gateway: "10.9.0.1" }, "gateway"],
    ["the network's own address as gateway", { name: "a", cidr: "10.8.0.0/24", gateway: "10.8.0.0" }, "gateway"],
    ["the broadcast address as gateway", { name: "a", cidr: "10.8.0.0/24", gateway: "10.8.0.255" }, "gateway"],
    ["a gateway that is a name", { name: "a", cidr: "10.8.0.0/24", gateway: "router" }, "gateway"],
    [
      "a gateway among the addresses for VMs",
      { name: "a", cidr: "10.8.0.0/24", gateway: "10.8.0.5", range: { first: "10.8.0.2", last: "10.8.0.9" } },
      "range",
    ],
    [
      "the name server's address for VMs",
      { name: "a", cidr: "10.8.0.0/24", range: { first: "10.8.0.247", last: "10.8.0.254" } },
      "range",
    ],
    ["a domain with a space", { name: "a", cidr: "10.8.0.0/24", domain: "lab internal" }, "domain"],
    ["a domain with an empty part", { name: "a", cidr: "10.8.0.0/24", domain: "lab..internal" }, "domain"],
    ["a domain that ends in a dash", { name: "a", cidr: "10.8.0.0/24", domain: "lab.internal-" }, "domain"],
    ["a domain that looks like an address", { name: "a", cidr: "10.8.0.0/24", domain: "10.0.0.1" }, "domain"],
    [
      "a domain with no room for a name",
      { name: "a", cidr: "10.8.0.0/24", domain: `${"abc.".repeat(47)}abcd` },
      "domain",
    ],
    ["a network to reach that isn't there", { name: "a", cidr: "10.8.0.0/24", reaches: [999_999] }, "reaches"],
    ["a name server that is a name", { name: "a", cidr: "10.8.0.0/24", dnsServers: ["dns.example"] }, "dnsServers.0"],
    ["a way out that isn't there", { name: "a", cidr: "10.8.0.0/24", outside: "vpn" }, "outside"],
  ])("%s is refused by its field", async (_what, body, field) => {
    const { status, body: problem } = await stack.api<Problem>("POST", "/api/networks", body);
    expect(status).toBe(400);
    expect(Object.keys(problem.fields ?? {})).toContain(field);
  });

  test.each<[string, object, string]>([
    ["a public range", { cidr: "8.8.8.0/24" }, "cidr"],
    ["a range that is none", { cidr: "lab" }, "cidr"],
    ["no range", { cidr: null }, "cidr"],
    ["a gateway elsewhere", { gateway: "10.9.0.1" }, "gateway"],
    ["a gateway of the range that is left", { cidr: "10.27.0.0/24", gateway: "10.26.0.9" }, "gateway"],
    ["a gateway that is a name", { gateway: "router" }, "gateway"],
    ["a domain with a space", { domain: "lab internal" }, "domain"],
    [
      "addresses for VMs of the range that is left",
      { cidr: "10.27.0.0/24", range: { first: "10.26.0.2", last: "10.26.0.9" } },
      "range",
    ],
    ["a name server that is the new gateway", { gateway: "10.26.0.9", dnsServers: ["10.26.0.9"] }, "dnsServers"],
    ["IPv6 that is neither on nor off", { ipv6: "off" }, "ipv6"],
  ])("a network is not changed to %s", async (_what, body, field) => {
    const { body: list } = await stack.api<List<Network>>("GET", "/api/networks");
    const present = list.items.find(({ name }) => name === "unmoved");
    const id = (present ?? (await client.createNetwork("unmoved", "10.26.0.0/24")).body).id;
    const before = (await stack.api<Network>("GET", `/api/networks/${id}`)).body;
    const { status, body: problem } = await stack.api<Problem>("PATCH", `/api/networks/${id}`, body);
    expect([status, Object.keys(problem.fields ?? {})]).toEqual([400, [field]]);
    expect((await stack.api<Network>("GET", `/api/networks/${id}`)).body).toEqual(before);
  });
});

describe("addresses", () => {
  test("fifty VMs created at once share no address and no MAC", async () => {
    const answers = await times(50, (index) => client.create(`fifty-${index}`));
    expect(answers.flatMap(({ body }) => body.detail ?? [])).toEqual([]);
    for (const read of [(vm: Vm) => vm.ipv4, (vm: Vm) => vm.mac]) {
      expect(new Set(answers.map(({ body }) => read(body))).size).toBe(50);
    }
  });

  test("a range of eight gives eight of twenty VMs an address, and tells the others that it is full", async () => {
    const range = { first: "10.10.0.100", last: "10.10.0.107" };
    const { body: network } = await client.createNetwork("eight", "10.10.0.0/24", { range });
    const answers = await times(20, (index) => client.create(`eight-${index}`, { network: "eight" }));
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.ipv4);
    expect(made.sort()).toEqual(Array.from({ length: 8 }, (_, index) => `10.10.0.${100 + index}`));
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(12);
    expect(refused[0]?.body.detail).toContain("no free address");
    expect((await stack.api<Network>("GET", `/api/networks/${network.id}`)).body).toMatchObject({
      freeCount: 0,
      vmCount: 8,
    });
  });

  test("the address of a VM that is gone is given to nobody, until its quarantine is over", async () => {
    const range = { first: "10.11.0.2", last: "10.11.0.2" };
    const { body: network } = await client.createNetwork("quarantine", "10.11.0.0/24", { range });
    const vm = await client.createReady("leaver", { network: "quarantine" });
    await client.act("DELETE", `/api/vms/${vm.id}`);
    expect(await client.addressesOf(network)).toMatchObject([
      { kind: "gateway" },
      { ipv4: "10.11.0.2", kind: "quarantined", vm: { name: "leaver" }, freeAt: expect.any(String) },
    ]);
    expect((await client.create("early", { network: "quarantine" })).status).toBe(409);
    const asked = await client.create("early", { network: "quarantine", ipv4: "10.11.0.2" });
    expect(asked.body.fields?.ipv4).toContain("leaver had it");
    const pool = openPool(stack.settings, { maxConnections: 1 });
    try {
      await pool.query(
        "update addresses set released_at = now() - interval '11 minutes' where released_at is not null",
      );
    } finally {
      await pool.end();
    }
    expect(await client.addressesOf(network)).toHaveLength(1);
    expect((await client.create("later", { network: "quarantine" })).body.ipv4).toBe("10.11.0.2");
  });

  test("one that is reserved by hand is given to no VM, and is free again when it is freed", async () => {
    const { body: network } = await client.createNetwork("kept", "10.12.0.0/24");
    const path = `/api/networks/${network.id}/addresses`;
    const reserved = await stack.api<NetworkAddress>("POST", path, { ipv4: "10.12.0.2", note: "printer" });
    expect(reserved.body).toEqual({
      ipv4: "10.12.0.2",
      ipv6: null,
      kind: "reserved",
      vm: null,
      note: "printer",
      mac: null,
      freeAt: null,
    });
    expect((await client.create("beside", { network: "kept" })).body.ipv4).toBe("10.12.0.3");
    expect((await stack.api<Problem>("POST", path, { ipv4: "10.12.0.3" })).body.detail).toContain("beside has it");
    for (const ipv4 of ["10.12.0.1", "10.12.0.255", "10.13.0.2", "10.12.0.02"]) {
      expect((await stack.api("POST", path, { ipv4 })).status).toBe(400);
    }
    expect((await stack.api("DELETE", `${path}?ipv4=10.12.0.3`)).status).toBe(404);
    expect((await stack.api("DELETE", `${path}?ipv4=10.12.0.2`)).status).toBe(204);
    expect((await client.create("instead", { network: "kept", ipv4: "10.12.0.2" })).body.ipv4).toBe("10.12.0.2");
  });

  test("a VM keeps its address over stop, start, a restart of the agent and a restore", async () => {
    const vm = await client.createReady("keeper", { ipv4: "192.168.0.200" });
    const isSame = async () => {
      const { body } = await stack.api<Vm>("GET", `/api/vms/${vm.id}`);
      expect(body).toMatchObject({ ipv4: "192.168.0.200", mac: vm.mac });
      await client.hostHas("the host knows the address", ({ interfaces }) =>
        interfaces.some(({ vmId }) => vmId === vm.id),
      );
    };
    await client.act("POST", `/api/vms/${vm.id}/stop`, {});
    await client.act("POST", `/api/vms/${vm.id}/start`, {});
    await isSame();
    await client.act("POST", `/api/vms/${vm.id}/snapshots`, { name: "before" });
    const { body } = await stack.api<List<Snapshot>>("GET", `/api/vms/${vm.id}/snapshots`);
    await client.act("POST", `/api/vms/${vm.id}/snapshots/${body.items[0]?.id}/restore`, {});
    await isSame();
    // The fake forgets its networks, as a host does that is rebooted: it is told of them anew.
    await stack.kill("agent");
    await stack.startAgent();
    await isSame();
  });
});
