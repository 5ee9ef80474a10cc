import { expect, onTestFinished, test } from "vitest";
import { type FirewallRuleInput, writeFirewallSchema } from "../../domain/firewall";
import type { NetworkState } from "../../domain/hostNetwork";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { createFirewall, getFirewall, setVmFirewalls, updateFirewall } from "./firewalls";

const plane = testControlPlane();

async function bridgedContext(): Promise<Context> {
  const fake = createFakeHypervisor({ networkDriver: "bridge" });
  onTestFinished(() => fake.close());
  const context = await plane.hostedContextWith(fake);
  return context;
}

const portsOf = (rules: FirewallRuleInput[]) => rules.flatMap(({ ports }) => ports.map(({ from }) => from));
const withPorts = (name: string, ...ports: number[]) =>
  writeFirewallSchema.parse({
    name,
    rules: ports.map((port) => ({ direction: "ingress", protocol: "tcp", ports: [{ from: port, to: port }] })),
  });

test("of two who change one firewall, the second is told and drops nothing of the first one's", async () => {
  const context = await bridgedContext();
  const read = await createFirewall(context, withPorts("shared", 22));
  const first = await updateFirewall(context, read.id, withPorts("shared", 22, 80), [read.version]);
  expect(first.version).not.toBe(read.version);
  const second = withPorts("shared", 22, 443);
  await expect(updateFirewall(context, read.id, second, [read.version])).rejects.toMatchObject({
    code: "changed_meanwhile",
    message: expect.stringContaining("Nothing is saved"),
  });
  expect(portsOf((await getFirewall(context, read.id)).rules)).toEqual([22, 80]);
  await updateFirewall(context, read.id, second, [first.version]);
  expect(portsOf((await getFirewall(context, read.id)).rules)).toEqual([22, 443]);
});

test("of two who change one firewall at the same time, one is told", async () => {
  const context = await bridgedContext();
  const { id, version } = await createFirewall(context, withPorts("raced", 22));
  const both = await Promise.allSettled(
    [80, 443].map((port) => updateFirewall(context, id, withPorts("raced", port), [version])),
  );
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a change that is sent again, since its answer was lost, is done", async () => {
  const context = await bridgedContext();
  const { id, version } = await createFirewall(context, withPorts("sent twice", 22));
  const once = await updateFirewall(context, id, withPorts("sent twice", 80), [version]);
  const again = await updateFirewall(context, id, withPorts("sent twice", 80), [version]);
  expect(again.version).toBe(once.version);
});

test("who names no version rewrites what is there", async () => {
  const context = await bridgedContext();
  const { id } = await createFirewall(context, withPorts("plain", 22));
  await updateFirewall(context, id, withPorts("plain", 80), null);
  expect(portsOf((await updateFirewall(context, id, withPorts("plain", 443), null)).rules)).toEqual([443]);
});

test("a firewall that isn't there is told of at the rule that names it", async () => {
  const context = await bridgedContext();
  const rules = [{}, { firewalls: [999_999] }].map((rule) => ({ direction: "ingress", protocol: "tcp", ...rule }));
  await expect(createFirewall(context, writeFirewallSchema.parse({ name: "names", rules }))).rejects.toMatchObject({
    fields: { "rules.1.firewalls": "There is no firewall 999999." },
  });
});

test("whom a rule lets in by a firewall's name are the VMs that have it, from the moment on that they do", async () => {
  const fake = createFakeHypervisor({ networkDriver: "bridge" });
  onTestFinished(() => fake.close());
  let told: NetworkState | undefined;
  const applyNetworks = async (state: NetworkState) => {
    told = state;
    await fake.applyNetworks(state);
  };
  const context = await plane.hostedContextWith({ ...fake, applyNetworks });
  const create = (name: string) =>
    createVm(context, systemActor, createVmSchema.parse({ name, image: "mini", size: "nano" }), null);
  const server = await create("named-server");
  const clients = [await create("named-client-1"), await create("named-client-2")];
  const addresses = clients.map(({ ipv4 }) => `${ipv4}/32`);
  const named = await createFirewall(context, writeFirewallSchema.parse({ name: "clients", rules: [] }));
  const rule = { direction: "ingress", protocol: "tcp", ports: [{ from: 80, to: 80 }], firewalls: [named.id] };
  const naming = await createFirewall(context, writeFirewallSchema.parse({ name: "for clients", rules: [rule] }));
  const peers = () => told?.firewalls.find(({ vmId }) => vmId === server.id)?.ingress?.flatMap(({ cidrs }) => cidrs);

  await setVmFirewalls(context, server.id, [naming.id]);
  expect(told?.firewalls.find(({ vmId }) => vmId === server.id)?.ingress, "nobody has it").toEqual([]);
  for (const [index, { id }] of clients.entries()) {
    await setVmFirewalls(context, id, [named.id]);
    expect(peers()).toEqual(addresses.slice(0, index + 1));
  }
  await setVmFirewalls(context, clients[0]?.id ?? 0, []);
  expect(peers()).toEqual(addresses.slice(1));
  await updateFirewall(
    context,
    naming.id,
    writeFirewallSchema.parse({ name: "for all", rules: [{ ...rule, firewalls: [] }] }),
    null,
  );
  expect(peers(), "everybody").toEqual([]);
});
