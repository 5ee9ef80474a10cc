import { afterAll, beforeAll, expect, test } from "vitest";
import type { Network, NetworkAddress } from "../../lib/domain/network";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack } from "../stack";
import { networkClient, type Problem, times } from "./networkClient";

let stack: Stack;
let client: ReturnType<typeof networkClient>;
let network: Network;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake", network: "bridge" });
  client = networkClient(stack);
  network = (await client.createNetwork("kept", "10.30.0.0/24")).body;
});
afterAll(() => stack?.stop());

const path = () => `/api/networks/${network.id}/addresses`;
const reserve = (body: object) => stack.api<NetworkAddress & Problem>("POST", path(), body);
const lastOf = (ipv4: string) => async () => (await client.addressesOf(network)).find((one) => one.ipv4 === ipv4);

test("an address is reserved with a MAC, has it in the list, and gives it to the VM and to the interface that asks for it", async () => {
  const [ipv4, mac] = ["10.30.0.9", "52:54:00:cc:00:01"];
  const reserved = await reserve({ ipv4, note: "licence", mac: mac.toUpperCase() });
  expect(reserved.status).toBe(201);
  expect(reserved.body).toEqual({
    ...{ ipv4, mac, ipv6: null, kind: "reserved", vm: null, note: "licence", freeAt: null },
  });
  const find = lastOf(ipv4);
  expect(await find()).toEqual(reserved.body);
  const vm = await client.createReady("licensed", { network: "kept", ipv4 });
  expect(vm).toMatchObject({ ipv4, mac });
  expect(await find()).toMatchObject({ kind: "vm", vm: { name: "licensed" }, mac });
  await client.act("DELETE", `/api/vms/${vm.id}`);
  expect(await find()).toEqual(reserved.body);
  const other = await client.createReady("other");
  await client.act("POST", `/api/vms/${other.id}/interfaces`, { network: "kept", ipv4 });
  expect((await client.networkingOf(other)).interfaces[1]).toMatchObject({ ipv4, mac });
  expect((await stack.api("DELETE", `${path()}?ipv4=${ipv4}`)).status).toBe(204);
  expect(await find()).toMatchObject({ kind: "vm", vm: { name: "other" }, mac: null, note: "" });
});

test("one that is taken is refused by who has it, whether it is to be reserved or to be had, and nothing is kept of that", async () => {
  const mac = "52:54:00:cc:00:02";
  const owner = (await client.create("owner")).body;
  const ofVm = await reserve({ ipv4: "10.30.0.20", mac: owner.mac });
  expect([ofVm.status, ofVm.body.fields?.mac]).toEqual([409, expect.stringContaining("the VM owner has it")]);
  expect(await lastOf("10.30.0.20")()).toBeUndefined();
  const rivals = await times(4, (index) => reserve({ ipv4: `10.30.0.${20 + index}`, mac }));
  expect(rivals.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  const winner = rivals.find(({ status }) => status === 201)?.body.ipv4;
  for (const asked of [
    await client.create("thief", { mac }),
    await stack.api<Vm & Problem>("POST", `/api/vms/${owner.id}/interfaces`, { network: "kept", mac }),
    ...rivals.filter(({ status }) => status === 409),
  ]) {
    const told = expect.stringContaining(`it is reserved with ${winner} in kept`);
    expect([asked.status, asked.body.fields?.mac]).toEqual([409, told]);
  }
});

test.each<[string, object]>([
  ["of many", { mac: "01:00:5e:00:00:01" }],
  ["of all", { mac: "ff:ff:ff:ff:ff:ff" }],
  ["of nobody", { mac: "00:00:00:00:00:00" }],
  ["of a real card", { mac: "00:16:3e:00:00:01" }],
  ["of a gateway", { mac: "02:00:00:00:00:01" }],
  ["that is cut off", { mac: "52:54:00:00:00" }],
  ["with dashes", { mac: "52-54-00-00-00-01" }],
  ["with something after it", { mac: "52:54:00:00:00:01\n" }],
  ["that is empty", { mac: "" }],
  ["that is null", { mac: null }],
  ["that is a number", { mac: 90_520_730_730_497 }],
])("a MAC %s is refused by its field, and the address stays free", async (_what, body) => {
  const { status, body: problem } = await reserve({ ipv4: "10.30.0.40", ...body });
  expect([status, Object.keys(problem.fields ?? {})]).toEqual([400, ["mac"]]);
  expect(await lastOf("10.30.0.40")()).toBeUndefined();
});

test("the API's description tells of it", async () => {
  const { body } = await stack.api<{ components: { schemas: Record<string, { properties: object }> } }>(
    "GET",
    "/api/openapi.json",
  );
  for (const name of ["ReserveAddress", "NetworkAddress"]) {
    expect(body.components.schemas[name]?.properties).toMatchObject({
      mac: { description: expect.stringMatching(/address|reserved/i) },
    });
  }
});
