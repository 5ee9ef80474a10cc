import { beforeEach, expect, onTestFinished, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { createChangeFeed } from "../../control/changeFeed";
import { type Actor, type Context, systemActor } from "../../control/context";
import { refreshHost } from "../../control/hosts";
import { testControlPlane } from "../../control/testControlPlane";
import { startWorker } from "../../control/worker";
import { connectionConfig } from "../../db/client";
import { CumulusError } from "../../domain/errors";
import type { FakeHypervisor } from "../../hypervisor/fake";
import type { Services } from "../../services";
import { labCreateEndpoint, labListEndpoint } from "../endpoints/lab";

const plane = testControlPlane();
const actor: Actor = systemActor;
const full = "The disk of this host is full: free some space and try again.";

let hypervisor: FakeHypervisor;
let context: Context;
let services: Services;

beforeEach(async () => {
  hypervisor = testHypervisor();
  context = await plane.hostedContextWith(hypervisor);
  services = { context, changes: createChangeFeed(connectionConfig(context.settings), () => {}) } as Services;
  const worker = startWorker(context);
  onTestFinished(() => worker.stop());
});

const call = (signal?: AbortSignal) => {
  const request = new Request("http://127.0.0.1/", signal && { signal });
  return { context, services, actor, params: {}, query: {}, request };
};
const list = () => labListEndpoint.handle({ ...call(), body: {} });
const create = (name: string, signal?: AbortSignal, image = "mini") =>
  labCreateEndpoint.handle({
    ...call(signal),
    body: { name, image, network: "default", mem_size: "2G", disk_size: "10G" },
  });

test("a VM whose disk the host can't make is told with the reason, listed nowhere, and its name is free", async () => {
  const { ensure } = hypervisor;
  hypervisor.ensure = () => Promise.reject(new CumulusError("insufficient_capacity", full));
  await expect(create("my_vm")).rejects.toMatchObject({ message: `create disk failed: ${full}` });
  expect(await list()).toEqual([]);
  expect(await hypervisor.observeAll()).toEqual([]);

  hypervisor.ensure = ensure;
  expect(await create("my_vm")).toMatchObject({ status: "ok" });
  expect(await list()).toEqual([{ id: expect.any(Number), name: "my_vm" }]);
});

test("a VM whose disk the host can't make is listed nowhere, also when who asked for it is gone by then", async () => {
  hypervisor.ensure = () => Promise.reject(new CumulusError("insufficient_capacity", full));
  await create("left_alone", AbortSignal.abort()).catch(() => undefined);
  expect(await list()).not.toContainEqual(expect.objectContaining({ name: "left_alone" }));
});

test("a name is taken by a VM that has it in the list, and not by one whose hostname it is", async () => {
  const names = ["its_vm", "its-vm"];
  for (const name of names) {
    await create(name);
    expect(await list()).toContainEqual({ id: expect.any(Number), name });
  }
  for (const name of names) await expect(create(name)).rejects.toThrow(`vm "${name}" already exists`);
});

test("a template is not found where there is none, and one that the host can't start is told with the reason", async () => {
  await expect(create("nowhere", undefined, "none")).rejects.toThrow(/^disk template "none" not found$/);
  const report = hypervisor.host;
  hypervisor.host = async () => ({ ...(await report.call(hypervisor)), guestArchs: [] });
  await refreshHost(context);
  await expect(create("nowhere")).rejects.toThrow(/has no QEMU for x86_64 guests/);
  expect(await list()).not.toContainEqual(expect.objectContaining({ name: "nowhere" }));
});

test("a VM that has its disk and doesn't start stays", async () => {
  hypervisor.start = () => Promise.reject(new CumulusError("internal", "QEMU ended."));
  await expect(create("no_start")).rejects.toThrow(/^QEMU ended\.$/);
  expect(await list()).toContainEqual({ id: expect.any(Number), name: "no_start" });
  expect(await hypervisor.observeAll()).toHaveLength(1);
});
