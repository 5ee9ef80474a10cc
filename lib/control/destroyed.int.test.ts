import { EventEmitter, once } from "node:events";
import { expect, test } from "vitest";
import { testHypervisor } from "../agent/testAgent";
import { CumulusError } from "../domain/errors";
import type { Operation } from "../domain/operation";
import { createVmSchema } from "../domain/vm";
import { ActQueue } from "../hypervisor/actQueue";
import { type Context, systemActor } from "./context";
import { convergeVm } from "./converge";
import { getOperation } from "./operations";
import { testControlPlane } from "./testControlPlane";
import { createVm } from "./vms/create";
import { destroyVm } from "./vms/destroy";
import { getVm } from "./vms/view";

const plane = testControlPlane();

test("a VM that is destroyed while its host still makes it, for a console that is gone, leaves nothing there", async () => {
  const hypervisor = testHypervisor();
  const { ensure, remove } = hypervisor;
  const events = new EventEmitter();
  const [isBegun, isAsked, mayGoOn] = [once(events, "begun"), once(events, "asked"), once(events, "go-on")];
  // One after the other, as by a real one.
  const queue = new ActQueue();
  hypervisor.ensure = (spec) =>
    queue.run(spec.id, async () => {
      events.emit("begun");
      await mayGoOn;
      return ensure(spec);
    });
  hypervisor.remove = (id) => {
    events.emit("asked");
    return queue.run(id, () => remove(id));
  };
  const context = await plane.hostedContextWith(hypervisor);

  const input = createVmSchema.parse({ name: "half-made", image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, "half-made");
  await convergeVm({ ...context, agent: { ...context.agent, ensure: cutOff } }, id);
  await destroyVm(context, systemActor, id, { withSnapshots: false });
  const converging = convergeVm(context, id);
  await Promise.race([converging, isAsked]);
  events.emit("go-on");
  await converging;
  await queue.idle();
  expect(await hypervisor.observeAll()).toEqual([]);
  await expect(getVm(context, id)).rejects.toMatchObject({ code: "not_found" });

  function cutOff(...[spec]: Parameters<Context["agent"]["ensure"]>): ReturnType<Context["agent"]["ensure"]> {
    const answer = context.agent.ensure(spec);
    answer.catch(() => undefined);
    return isBegun.then(() => {
      throw new CumulusError("unavailable", "The console is gone.");
    });
  }
});

test("a VM's end that is asked for again while its host removes it has come for both who asked", async () => {
  const hypervisor = testHypervisor();
  const { remove } = hypervisor;
  const context = await plane.hostedContextWith(hypervisor);
  const input = createVmSchema.parse({ name: "twice", image: "mini", size: "nano" });
  const { id } = await createVm(context, systemActor, input, "twice");
  await convergeVm(context, id);
  const destroy = () => destroyVm(context, systemActor, id, { withSnapshots: false });
  const first = await destroy();
  const again: Operation[] = [];
  hypervisor.remove = async (removed) => {
    // The last time, at which there is nothing left.
    if ((await hypervisor.observeAll()).length === 0) again.push(await destroy());
    await remove(removed);
  };
  await convergeVm(context, id);
  const [second] = again;
  expect(await getOperation(context, first.id)).toMatchObject({ status: "superseded" });
  expect(await getOperation(context, second?.id ?? 0)).toMatchObject({ kind: "destroy", status: "done" });
});
