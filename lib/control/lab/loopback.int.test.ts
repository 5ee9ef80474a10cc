import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { vms } from "../../db/schema/vms";
import { sharedUser } from "../../domain/host";
import { createVmSchema } from "../../domain/vm";
import { type Context, systemActor } from "../context";
import { convergeVm } from "../converge";
import { ensureBaseRows, refreshHost } from "../hosts";
import { testControlPlane } from "../testControlPlane";
import { createVm } from "../vms/create";
import { powerVm } from "../vms/power";
import { whyGuestsReachLoopback } from "./loopback";

const plane = testControlPlane();

test("guests reach this machine's loopback in user mode, and on bridges as long as one runs that was started in user mode, or work on images has no user of its own", async () => {
  const hypervisor = testHypervisor();
  const user = await plane.contextWith(hypervisor);
  const { db, agent } = user;
  const bridged: Context = {
    ...user,
    agent: {
      ...agent,
      host: async () => {
        const report = await agent.host();
        return { ...report, network: { ...report.network, driver: "bridge" } };
      },
    },
  };
  await ensureBaseRows(user);
  expect(await whyGuestsReachLoopback(db)).toMatch(/not known/);
  await refreshHost(user);
  expect(await whyGuestsReachLoopback(db)).toMatch(/user-mode/);

  const input = createVmSchema.parse({ name: "stayer", image: "mini", size: "nano" });
  const { id } = await createVm(user, systemActor, input, null);
  await convergeVm(user, id);
  await refreshHost(bridged);
  expect(await whyGuestsReachLoopback(db)).toMatch(/still runs/);
  await powerVm(bridged, systemActor, id, "pause");
  await convergeVm(bridged, id);
  expect(await whyGuestsReachLoopback(db)).toMatch(/still runs/);
  await db.update(vms).set({ observedLink: null }).where(eq(vms.id, id));
  expect(await whyGuestsReachLoopback(db)).toMatch(/still runs/);

  await powerVm(bridged, systemActor, id, "stop");
  await convergeVm(bridged, id);
  expect(await whyGuestsReachLoopback(db)).toBeNull();
  await powerVm(bridged, systemActor, id, "start");
  await convergeVm(bridged, id);
  expect(await whyGuestsReachLoopback(db)).toBeNull();

  const host = bridged.agent.host;
  bridged.agent.host = async () => ({ ...(await host()), degraded: [{ code: sharedUser, message: "All share one." }] });
  await refreshHost(bridged);
  expect(await whyGuestsReachLoopback(db)).toMatch(/recipe/);
});
