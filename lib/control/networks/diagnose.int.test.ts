import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { portForwards } from "../../db/schema/vmNetworking";
import { writeFirewallSchema } from "../../domain/firewall";
import type { FirewallRule, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkDriver } from "../../domain/machine";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { diagnoseVm } from "./diagnose";
import { createFirewall, setVmFirewalls } from "./firewalls";

const plane = testControlPlane();
let context: Context;
let vmId: number;
/** What the host finds. */
let found: ReachabilityCheck[];

const prepare = async (networkDriver: NetworkDriver) => {
  await plane.pool.query("truncate hosts, networks, firewalls restart identity cascade");
  const fake = createFakeHypervisor({ networkDriver });
  onTestFinished(() => fake.close());
  context = await plane.hostedContextWith({ ...fake, diagnose: async () => found });
  const input = createVmSchema.parse({ name: "asked", image: "mini", size: "nano" });
  vmId = (await createVm(context, systemActor, input, null)).id;
};
const check = (name: ReachabilityCheck["name"], outcome: ReachabilityCheck["outcome"]): ReachabilityCheck => ({
  ...{ name, outcome, message: "Seen.", fix: outcome === "failed" ? "Do it." : null },
});
const ask = async (port: number) => (await diagnoseVm(context, vmId, { port, interface: "net0" })).checks;

describe("the firewall", () => {
  const rule = (port: number): FirewallRule => ({ protocol: "tcp", ports: [{ from: port, to: port }], cidrs: [] });
  const make = (name: string, port: number) =>
    createFirewall(context, writeFirewallSchema.parse({ name, rules: [{ direction: "ingress", ...rule(port) }] }));
  let web: { id: number; name: string };
  let ssh: { id: number; name: string };
  beforeEach(async () => {
    await prepare("bridge");
    web = await make("web", 80);
    ssh = await make("SSH only", 22);
    await setVmFirewalls(context, vmId, [web.id, ssh.id]);
  });

  test("that let it through is named, and no other", async () => {
    found = [{ ...check("firewall", "ok"), rule: rule(22) }, check("port", "failed")];
    expect(await ask(22)).toEqual([
      {
        ...check("firewall", "ok"),
        message: "Seen. The rule is one of SSH only.",
        firewalls: [{ id: ssh.id, name: "SSH only" }],
      },
      { ...check("port", "failed"), firewalls: [] },
    ]);
  });

  test("that keeps it out is named, with each other that the VM has", async () => {
    found = [check("firewall", "failed")];
    const firewalls = [web, ssh].map(({ id, name }) => ({ id, name }));
    const message = "Seen. The VM's firewalls: web, SSH only.";
    expect(await ask(443)).toEqual([{ ...check("firewall", "failed"), message, firewalls }]);
  });
});

describe("a forward that is not in effect", () => {
  const forward = (hostAddress: string, port: number) =>
    context.db.insert(portForwards).values({ vmId, hostAddress, hostPort: 20_000 + port, protocol: "tcp", port });

  test("fails its check with the reason, where nothing else keeps the port from being reached", async () => {
    await prepare("bridge");
    await forward("203.0.113.9", 80);
    const why = expect.stringMatching(
      /^The forward of 203\.0\.113\.9:20080 .* 203\.0\.113\.9 is not an address of the host/,
    );
    found = [check("port", "ok")];
    expect((await ask(80)).at(-1)).toMatchObject({ name: "forward", outcome: "failed", message: why });
    expect(await ask(81)).toMatchObject([{ name: "port" }]);
    found = [check("port", "failed")];
    expect(await ask(80)).toMatchObject([{ name: "port" }]);
  });

  test("is why no way leads to a port in user mode", async () => {
    await prepare("user");
    await forward("0.0.0.0", 80);
    found = [check("running", "ok"), check("route", "failed")];
    expect(await ask(80)).toMatchObject([
      { name: "running" },
      { name: "forward", outcome: "failed", message: expect.stringContaining("127.0.0.1 alone"), fix: "Do it." },
    ]);
    expect((await ask(81)).at(-1)).toMatchObject({ name: "route" });
  });
});
