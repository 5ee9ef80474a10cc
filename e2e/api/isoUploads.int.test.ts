import { afterAll, beforeAll, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { isoVolume } from "../../lib/images/testing/images";
import { type Stack, startStack, until } from "../stack";
import { imageClient } from "./imageClient";

let stack: Stack;
let api: ReturnType<typeof imageClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = imageClient(stack);
});
afterAll(() => stack?.stop());

test.each<[string, string, Record<string, string>]>([
  ["said to be one", "said", { fileName: "disc.img", kind: "iso" }],
  ["called .iso", "called", { fileName: "disc.iso" }],
])("an upload that is %s is an ISO: a VM of it boots from the disc, which is ejected", async (_what, name, query) => {
  const disc = isoVolume(name);
  const response = await api.upload({ name, ...query }, new Uint8Array(disc));
  const image = await api.made({ status: response.status, body: await response.json() });
  expect(image).toMatchObject({ name, kind: "iso", fileBytes: disc.length });

  const asked = { name: `of-${name}`, image: name, size: "nano" };
  const { status, body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", asked);
  expect(status).toBe(201);
  const inDrive = { cdrom: { id: image.id, name }, isCdromChanging: false, bootFrom: "cdrom" };
  expect(vm).toMatchObject({ status: "running", image: { kind: "iso" }, ...inDrive });
  expect((await stack.api("DELETE", `/api/images/${image.id}`)).status).toBe(409);

  const eject = { image: null, bootFrom: "disk" };
  const { body: operation } = await stack.api<Operation>("PUT", `/api/vms/${vm.id}/cdrom`, eject);
  expect(await api.ended(operation.id)).toMatchObject({ status: "done", error: null });
  const read = async () => (await stack.api<Vm>("GET", `/api/vms/${vm.id}`)).body;
  await until("the drive is seen to be empty", async () => !(await read()).isCdromChanging);
  expect(await read()).toMatchObject({ status: "running", cdrom: null, bootFrom: "disk" });
});
