import { expect, onTestFinished, test } from "vitest";
import { createNetworkSchema } from "../../domain/network";
import { type CreateVm, createVmSchema } from "../../domain/vm";
import { plugInterfaceSchema } from "../../domain/vmNetworking";
import { createFakeHypervisor } from "../../hypervisor/fake";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { destroyVm } from "../vms/destroy";
import { plugInterface, unplugInterface } from "./interfaces";
import { createNetwork } from "./networks";
import { getVmNetworking } from "./view";

const plane = testControlPlane();

async function bridged(): Promise<Context> {
  const hypervisor = createFakeHypervisor({ stepMs: 5, shutdownMs: 10, networkDriver: "bridge" });
  onTestFinished(() => hypervisor.close());
  return plane.hostedContextWith(hypervisor);
}

const asked = (name: string, mac: string): CreateVm => createVmSchema.parse({ name, image: "mini", size: "nano", mac });
const macsOf = async (context: Context, id: number) =>
  (await getVmNetworking(context, id)).interfaces.map(({ mac }) => mac);

test("interfaces have the MACs that were chosen for them, which no other gets, nor soon after they are gone", async () => {
  const context = await bridged();
  const [first, second] = ["52:54:00:aa:00:01", "52:54:00:aa:00:02"];
  await createNetwork(context, createNetworkSchema.parse({ name: "macs", cidr: "10.9.0.0/24" }));
  const create = (name: string, mac: string) => createVm(context, systemActor, asked(name, mac), null);
  const { id } = await create("chooser", first.toUpperCase());
  await convergeVm(context, id);
  await plugInterface(context, systemActor, id, plugInterfaceSchema.parse({ network: "macs", mac: second }));
  await convergeVm(context, id);
  expect(await macsOf(context, id)).toEqual([first, second]);

  const refused = (why: RegExp) => ({ code: "conflict", fields: { mac: expect.stringMatching(why) } });
  for (const mac of [first, second])
    await expect(create("other", mac)).rejects.toMatchObject(refused(/the VM chooser has it\.$/));
  await unplugInterface(context, systemActor, id, "net1");
  await convergeVm(context, id);
  const isKept = /chooser had it, and it is free again at 20\S+Z\.$/;
  await expect(create("other", second)).rejects.toMatchObject(refused(isKept));
  const again = { network: "macs", ipv4: "10.9.0.2", mac: second };
  await plugInterface(context, systemActor, id, plugInterfaceSchema.parse(again));
  expect(await macsOf(context, id)).toEqual([first, second]);
  await destroyVm(context, systemActor, id, { withSnapshots: false });
  await convergeVm(context, id);
  for (const mac of [first, second]) await expect(create("other", mac)).rejects.toMatchObject(refused(isKept));

  await plane.pool.query("update vms set deleted_at = deleted_at - interval '11 minutes' where deleted_at is not null");
  await plane.pool.query("update addresses set released_at = released_at - interval '11 minutes'");
  const heirs = await Promise.all([create("heir-1", first), create("heir-2", second)]);
  expect(heirs.map(({ mac }) => mac)).toEqual([first, second]);
});

test("of many who choose one MAC at the same time, one has it", async () => {
  const context = await bridged();
  const all = await Promise.allSettled(
    ["a", "b", "c", "d"].map((name) =>
      createVm(context, systemActor, asked(`racer-${name}`, "52:54:00:aa:00:03"), null),
    ),
  );
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const one of all) {
    if (one.status === "rejected")
      expect(one.reason).toMatchObject({ code: "conflict", fields: { mac: expect.anything() } });
  }
});

test.each([
  "01:00:5e:00:00:01",
  "00:16:3e:00:00:01",
  "02:00:00:00:00:01",
  "ff:ff:ff:ff:ff:ff",
  "52:54:00:00:00",
  "52-54-00-00-00-01",
])("%s can't be chosen", (mac) => {
  const { error } = createVmSchema.safeParse({ name: "a", image: "mini", size: "nano", mac });
  expect(error?.issues[0]).toMatchObject({
    path: ["mac"],
    message: expect.stringContaining("second digit is 2, 6, a or e"),
  });
});
