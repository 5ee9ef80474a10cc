import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { createChangeFeed } from "../../control/changeFeed";
import { type Actor, type Context, systemActor } from "../../control/context";
import { convergeVm } from "../../control/converge";
import { testControlPlane } from "../../control/testControlPlane";
import { createVm } from "../../control/vms/create";
import { getVm } from "../../control/vms/view";
import { connectionConfig } from "../../db/client";
import { vms } from "../../db/schema/vms";
import { createVmSchema } from "../../domain/vm";
import type { Services } from "../../services";
import { labInfoEndpoint, labStartEndpoint } from "../endpoints/lab";

const plane = testControlPlane();
const actor: Actor = systemActor;

let context: Context;
let services: Services;
let id: number;

beforeEach(async () => {
  context = await plane.hostedContextWith(testHypervisor());
  services = { context, changes: createChangeFeed(connectionConfig(context.settings), () => {}) } as Services;
  const input = createVmSchema.parse({ name: "stands-still", image: "mini", size: "nano" });
  await plane.pool.query("truncate vms cascade");
  ({ id } = await createVm(context, systemActor, input, null));
  await convergeVm(context, id);
});

const call = () => {
  const request = new Request("http://127.0.0.1/");
  return { context, services, actor, params: {}, query: {}, request, body: { id } };
};
const longAgo = new Date(Date.now() - 3_600_000);

describe.each<[string, Partial<typeof vms.$inferInsert>]>([
  ["whose QEMU stands still", { observed: "unresponsive" }],
  ["that was last seen running long ago", { observed: "running", observedAt: longAgo }],
])("a VM %s", (_, seen) => {
  beforeEach(async () => {
    await context.db.update(vms).set(seen).where(eq(vms.id, id));
    expect(await getVm(context, id)).toMatchObject({ status: "unreachable" });
  });

  test("runs, as the lab tells it: to start it changes nothing", async () => {
    const before = await getVm(context, id);
    expect(await labInfoEndpoint.handle(call())).toMatchObject({ state: "RUNNING" });
    expect(await labStartEndpoint.handle(call())).toEqual({ status: "ok" });
    expect(await getVm(context, id)).toEqual(before);
  });

  test("is not said to be started when it was asked to stop", async () => {
    await context.db.update(vms).set({ desired: "stopped" }).where(eq(vms.id, id));
    await expect(labStartEndpoint.handle(call())).rejects.toMatchObject({ code: "wrong_state" });
  });
});
