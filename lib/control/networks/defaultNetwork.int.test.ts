import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { networks } from "../../db/schema/networks";
import { vms } from "../../db/schema/vms";
import { createVmSchema } from "../../domain/vm";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { ensureBaseRows, refreshHost } from "../hosts";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { listAddresses, releaseAddresses, reserveAddress } from "./addresses";
import { ensureDefaultNetwork } from "./defaultNetwork";
import { proposeNetwork } from "./freeRange";
import { plugInterface } from "./interfaces";
import { reserveMac } from "./macs";
import { createNetwork } from "./networks";

const plane = testControlPlane();
/** Ranges that the host has routes to. */
let occupied: string[];
let context: Context;

beforeEach(async () => {
  await plane.pool.query("truncate hosts, networks restart identity cascade");
  const hypervisor = createFakeHypervisor({ stepMs: 5, networkDriver: "bridge" });
  onTestFinished(() => hypervisor.close());
  const present = await plane.contextWith(hypervisor);
  const client = present.agent;
  occupied = [];
  const agent: Context["agent"] = {
    ...client,
    networkStatus: async () => ({ ...(await client.networkStatus()), occupiedCidrs: occupied }),
  };
  context = { ...present, agent };
  await ensureBaseRows(context);
});

const find = async () => (await context.db.select().from(networks).where(eq(networks.name, "default")))[0];

describe("the network default", () => {
  test("comes with the host's first report, and is 192.168.0.0/24", async () => {
    expect(await find()).toBeUndefined();
    await refreshHost(context);
    expect(await find()).toMatchObject({ cidr: "192.168.0.0/24", gateway: "192.168.0.1", description: "" });
  });

  test("is the next range that is free where the host has a route to that one, and says why", async () => {
    occupied = ["10.0.0.0/8", "192.168.0.0/23", "192.168.2.7/32"];
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({
      cidr: "192.168.3.0/24",
      gateway: "192.168.3.1",
      description: "Not 192.168.0.0/24, as usual: the host has a route to 192.168.0.0/23.",
    });
  });

  test("leaves 192.168.0.0/16 to a host that has a route to all of it", async () => {
    occupied = ["192.168.0.0/16", "172.16.0.0/24"];
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({ cidr: "172.17.0.0/24", gateway: "172.17.0.1" });
  });

  test("a range that is proposed for another network is neither the host's nor a network's", async () => {
    await ensureDefaultNetwork(context, "bridge");
    occupied = ["192.168.1.0/24", "192.168.2.7/32"];
    const { cidr } = await proposeNetwork(context);
    expect(cidr).toBe("192.168.3.0/24");
    await createNetwork(context, { name: "proposed", cidr: cidr ?? "" });
    expect((await proposeNetwork(context)).cidr).toBe("192.168.4.0/24");
    occupied = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    expect((await proposeNetwork(context)).cidr).toBeNull();
  });

  test("minds no route with user-mode networks, which disturb none", async () => {
    occupied = ["192.168.0.0/16"];
    await ensureDefaultNetwork(context, "user");
    expect(await find()).toMatchObject({ cidr: "192.168.0.0/24" });
  });

  test("moves out of the way when bridges come, past other networks, and stays as it is otherwise", async () => {
    await ensureDefaultNetwork(context, "user");
    const { id } = (await find()) ?? {};
    await createNetwork(context, { name: "other", cidr: "192.168.1.0/24" });
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({ id, cidr: "192.168.0.0/24" });
    occupied = ["192.168.0.0/24"];
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({ id, cidr: "192.168.2.0/24", gateway: "192.168.2.1" });
  });

  test("says that another network has its usual range where that is what keeps it from there", async () => {
    occupied = ["192.168.0.0/24"];
    await ensureDefaultNetwork(context, "bridge");
    occupied = [];
    await createNetwork(context, { name: "settler", cidr: "192.168.0.0/24" });
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({ cidr: "192.168.1.0/24" });
    occupied = ["192.168.1.0/24"];
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({
      cidr: "192.168.2.0/24",
      description: "Not 192.168.0.0/24, as usual: the network settler has 192.168.0.0/24.",
    });
  });

  test("moves by itself where the host comes to have a route to it while no VM is in it", async () => {
    await refreshHost(context);
    occupied = ["192.168.0.0/16"];
    await refreshHost(context);
    expect(await find()).toMatchObject({ cidr: "172.16.0.0/24", gateway: "172.16.0.1" });
    occupied = ["0.0.0.0/0"];
    await refreshHost(context);
    expect(await find()).toMatchObject({ cidr: "172.16.0.0/24" });
  });

  test("keeps no address of the range that it leaves, and says which were reserved", async () => {
    await refreshHost(context);
    const network = await find();
    if (!network) throw new Error("no network default");
    await reserveAddress(context.db, network, "192.168.0.9", "printer");
    // With a MAC it is reserved still after the VM that had it.
    const ipv4 = "192.168.0.10";
    await reserveAddress(context.db, network, ipv4, "licence");
    await reserveMac(context.db, network.id, ipv4, "52:54:00:ee:00:01");
    const input = createVmSchema.parse({ name: "licensed", image: "mini", size: "nano", ipv4 });
    const { id } = await createVm(context, systemActor, input, null);
    await releaseAddresses(context.db, id);
    await context.db
      .update(vms)
      .set({ desired: "deleted", observed: "absent", deletedAt: new Date() })
      .where(eq(vms.id, id));
    occupied = ["192.168.0.0/24"];
    await refreshHost(context);
    const moved = await find();
    const told = expect.stringMatching(/reserved in 192\.168\.0\.0\/24 are no more: 192\.168\.0\.9, 192\.168\.0\.10\./);
    expect(moved).toMatchObject({ cidr: "192.168.1.0/24", description: told });
    expect(moved && (await listAddresses(context.db, moved)).map(({ ipv4 }) => ipv4)).toEqual(["192.168.1.1"]);
  });

  test("stays where VMs have a further interface in it, and is told of once", async () => {
    await refreshHost(context);
    await createNetwork(context, { name: "first", cidr: "10.1.0.0/24" });
    const input = createVmSchema.parse({ name: "guest", image: "mini", size: "nano", network: "first" });
    const { id } = await createVm(context, systemActor, input, null);
    await plugInterface(context, systemActor, id, { network: "default" });
    occupied = ["192.168.0.0/24"];
    const error = vi.fn();
    const logged: Context = { ...context, log: Object.assign(Object.create(context.log), { error }) };
    await refreshHost(logged);
    await refreshHost(logged);
    expect(await find()).toMatchObject({ cidr: "192.168.0.0/24" });
    expect(error).toHaveBeenCalledExactlyOnceWith({}, expect.stringContaining("guest"));
  });

  test("stays where VMs are in it", async () => {
    await refreshHost(context);
    const input = createVmSchema.parse({ name: "tenant", image: "mini", size: "nano" });
    await createVm(context, systemActor, input, null);
    occupied = ["192.168.0.0/24"];
    await ensureDefaultNetwork(context, "bridge");
    expect(await find()).toMatchObject({ cidr: "192.168.0.0/24" });
  });

  test("is told of by an agent's first report only: a console that starts before it waits", async () => {
    const away: Context = {
      ...context,
      agent: { ...context.agent, host: () => Promise.reject(new Error("no agent")) },
    };
    await expect(refreshHost(away)).rejects.toThrow("no agent");
    expect(await find()).toBeUndefined();
    await refreshHost(context);
    expect(await find()).toBeDefined();
  });
});
