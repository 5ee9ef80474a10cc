import { eq, sql } from "drizzle-orm";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { hosts } from "../../db/schema/hosts";
import { vms } from "../../db/schema/vms";
import type { NetworkState } from "../../domain/hostNetwork";
import { createForwardSchema } from "../../domain/portForward";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { getHost } from "../hosts";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { applyNetworks } from "./apply";
import { addForward, removeForward } from "./forwards";
import { getVmNetworking } from "./view";

const plane = testControlPlane();
let context: Context;
/** What the host was told last. */
let told: NetworkState;
let vmId: number;

beforeEach(async () => {
  await plane.pool.query("truncate hosts, networks restart identity cascade");
  const fake = createFakeHypervisor({ stepMs: 5, networkDriver: "bridge" });
  onTestFinished(() => fake.close());
  context = await plane.hostedContextWith({
    ...fake,
    applyNetworks: async (state) => {
      told = state;
      await fake.applyNetworks(state);
    },
  });
  vmId = (
    await createVm(context, systemActor, createVmSchema.parse({ name: "server", image: "mini", size: "nano" }), null)
  ).id;
});

const add = (hostPort: number, hostAddress = "0.0.0.0") =>
  addForward(context, vmId, createForwardSchema.parse({ hostPort, hostAddress, port: 22 }));
const forwardsTold = () => told.networks.flatMap(({ forwards }) => forwards.map(({ hostPort }) => hostPort));
const whysNot = async (of = context) => (await getVmNetworking(of, vmId)).forwards.map(({ whyNot }) => whyNot);

test("a forward leads nowhere as long as the console listens on its port, and is said so", async () => {
  await add(4402);
  await add(4403);
  expect(forwardsTold().sort()).toEqual([4402, 4403]);
  const moved: Context = { ...context, settings: { ...context.settings, port: 4402 } };
  await applyNetworks(moved);
  expect(forwardsTold()).toEqual([4403]);
  const { forwards, pending } = await getVmNetworking(moved, vmId);
  expect(pending).toBeNull();
  expect(forwards.map(({ whyNot }) => whyNot)).toEqual([expect.stringContaining("port 4402"), null]);
  expect((await getHost(moved)).report?.degraded).toContainEqual({
    code: "forward-of-console-port",
    message: expect.stringContaining("0.0.0.0:4402 to VM server"),
  });

  await applyNetworks(context);
  expect(forwardsTold().sort()).toEqual([4402, 4403]);
  expect(await whysNot()).toEqual([null, null]);
});

test("a forward of an address that the host loses is said to be without effect until the host has it again", async () => {
  const { agent } = context;
  const host = await agent.networkStatus();
  const [address = ""] = host.addresses.filter((one) => one !== "127.0.0.1");
  await add(8080, address);
  expect(await whysNot()).toEqual([null]);
  const without = { ...host, addresses: ["127.0.0.1"] };
  const moved: Context = { ...context, agent: { ...agent, networkStatus: async () => without } };
  expect(await whysNot(moved)).toEqual([expect.stringContaining(`${address} is not an address of the host`)]);
  expect(await whysNot()).toEqual([null]);
});

test("a forward that takes the packets of a program that began to listen since says so, and is in effect", async () => {
  const { agent } = context;
  const host = await agent.networkStatus();
  await add(8081, "127.0.0.1");
  await add(8082);
  const listening = [8081, 8082].map((port) => ({ address: "0.0.0.0", port, protocol: "tcp" as const }));
  const busy: Context = { ...context, agent: { ...agent, networkStatus: async () => ({ ...host, listening }) } };
  const { forwards } = await getVmNetworking(busy, vmId);
  expect(forwards.map(({ whyNot }) => whyNot)).toEqual([null, null]);
  expect(forwards.map(({ warning }) => warning)).toEqual([
    expect.stringContaining("0.0.0.0:8081"),
    expect.stringContaining("0.0.0.0:8082"),
  ]);
  expect((await getVmNetworking(context, vmId)).forwards.map(({ warning }) => warning)).toEqual([null, null]);
});

test("a forward of a VM that still runs on a bridge is in effect until it stops, also on a host that is in user mode by now", async () => {
  await add(8083);
  await add(8084, "127.0.0.1");
  const link = { driver: "bridge" as const, host: "192.168.0.2", port: 22 };
  await context.db.update(vms).set({ observedLink: link }).where(eq(vms.id, vmId));
  const report = sql`jsonb_set(${hosts.report}, '{network,driver}', '"user"')`;
  await context.db.update(hosts).set({ report });
  const { forwards } = await getVmNetworking(context, vmId);
  expect(forwards.map(({ whyNot }) => whyNot)).toEqual([null, null]);
  expect(forwards.map(({ warning }) => warning)).toEqual([
    expect.stringMatching(/until the VM stops.*127\.0\.0\.1 alone/),
    expect.stringMatching(/until the VM stops.*takes it over/),
  ]);
  expect(await removeForward(context, vmId, forwards[0]?.id ?? 0)).toEqual({ pending: null });
  expect(forwardsTold()).toEqual([8084]);
});
