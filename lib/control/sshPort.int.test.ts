import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../agent/testAgent";
import { vms } from "../db/schema/vms";
import { CumulusError } from "../domain/errors";
import { sshPortField } from "../domain/machine";
import { createVmSchema } from "../domain/vm";
import { type Context, systemActor } from "./context";
import { convergeVm } from "./converge";
import { testControlPlane } from "./testControlPlane";
import { createVm } from "./vms/create";
import { getVm } from "./vms/view";

const plane = testControlPlane();

/** A VM on a host whose first start fails so. */
async function startedWith(name: string, failure: CumulusError) {
  const host = testHypervisor();
  let starts = 0;
  const start: typeof host.start = (id) => {
    starts += 1;
    return starts === 1 ? Promise.reject(failure) : host.start(id);
  };
  const context = await plane.hostedContextWith({ ...host, start });
  const { id } = await createVm(
    context,
    systemActor,
    createVmSchema.parse({ name, image: "mini", size: "nano" }),
    name,
  );
  const before = await sshPortOf(context, id);
  await convergeVm(context, id);
  return { vm: await getVm(context, id), hasSamePort: (await sshPortOf(context, id)) === before };
}

async function sshPortOf({ db }: Context, id: number) {
  const [row] = await db.select({ port: vms.sshHostPort }).from(vms).where(eq(vms.id, id));
  return row?.port;
}

test("a VM whose SSH port another program has taken gets another one, and runs", async () => {
  const taken = new CumulusError("conflict", "Port 22022 is taken.", { fields: { [sshPortField]: "It is taken." } });
  expect(await startedWith("shifted", taken)).toMatchObject({ vm: { status: "running" }, hasSamePort: false });
});

test("a VM that can't start for another conflict keeps its port, and says why", async () => {
  const inUse = new CumulusError("conflict", "The VM's disk is in use by another process of this host.");
  const { vm, hasSamePort } = await startedWith("held", inUse);
  expect(vm).toMatchObject({ status: "failed", statusReason: expect.stringContaining("disk is in use") });
  expect(hasSamePort).toBe(true);
});
