import { eq } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { testHypervisor } from "../agent/testAgent";
import { operations } from "../db/schema/operations";
import { CumulusError } from "../domain/errors";
import { createVmSchema } from "../domain/vm";
import type { FakeHypervisor } from "../hypervisor/fake";
import { type Context, systemActor } from "./context";
import { convergeVm } from "./converge";
import { getOperation } from "./operations";
import { testControlPlane } from "./testControlPlane";
import { createVm } from "./vms/create";
import { changeCdrom } from "./vms/media";
import { powerVm } from "./vms/power";
import { getVm } from "./vms/view";

const plane = testControlPlane();
let hypervisor: FakeHypervisor;
let context: Context;

beforeEach(async () => {
  hypervisor = testHypervisor();
  context = await plane.hostedContextWith(hypervisor);
});

async function newVm(name: string): Promise<number> {
  const input = createVmSchema.parse({ name, image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, name);
  await convergeVm(context, id);
  return id;
}

test.each(["reboot", "reset", "pause"] as const)(
  "%s ends as failed when the guest turns itself off first",
  async (act) => {
    const id = await newVm(`off-before-${act}`);
    const operation = await powerVm(context, systemActor, id, act);
    hypervisor.powerOff(id);
    await convergeVm(context, id);
    expect(await getVm(context, id)).toMatchObject({ status: "stopped", desired: "stopped" });
    expect(await getOperation(context, operation.id)).toMatchObject({
      status: "failed",
      error: "The VM was turned off before this was done. Start it, and ask again.",
    });
  },
);

test("all acts that wait end as failed when QEMU crashes first", async () => {
  const id = await newVm("crash-before");
  const asked = [await powerVm(context, systemActor, id, "reset"), await powerVm(context, systemActor, id, "pause")];
  hypervisor.crash(id);
  await convergeVm(context, id);
  for (const operation of asked) {
    expect(await getOperation(context, operation.id)).toMatchObject({
      status: "failed",
      error: "The VM crashed before this was done. Start it, and ask again.",
    });
  }
});

test("a disc that is asked for while a VM has no disk yet is in the drive when it starts", async () => {
  const { ensure } = hypervisor;
  hypervisor.ensure = () => Promise.reject(new CumulusError("insufficient_capacity", "No space."));
  const id = await newVm("no-disk");
  expect(await getVm(context, id)).toMatchObject({ status: "failed" });
  const { id: operationId } = await changeCdrom(context, systemActor, id, { image: "installer" });
  await convergeVm(context, id);
  expect(await getOperation(context, operationId)).toMatchObject({ status: "done" });
  hypervisor.ensure = ensure;
  await powerVm(context, systemActor, id, "start");
  await convergeVm(context, id);
  expect(await hypervisor.observe(id)).toMatchObject({ state: "running", cdromSha256: "1".repeat(64) });
});

test("an act that is superseded at the moment when it is to be carried out is not carried out", async () => {
  const id = await newVm("superseded");
  const { bootCount } = await hypervisor.observe(id);
  const operation = await powerVm(context, systemActor, id, "reset");
  const { converge } = await context.db.transaction(async (tx) => {
    const superseded = { status: "superseded" as const, finishedAt: new Date() };
    await tx.update(operations).set(superseded).where(eq(operations.id, operation.id));
    const converge = convergeVm(context, id);
    converge.catch(() => undefined);
    await plane.waitingForLock(1);
    return { converge };
  });
  await converge;
  expect(await hypervisor.observe(id)).toMatchObject({ bootCount });
});
