import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openPool } from "../../lib/db/client";
import { GIB } from "../../lib/domain/units";
import type { Vm } from "../../lib/domain/vm";
import { type ApiAnswer, type Stack, startStack } from "../stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
});
afterAll(() => stack?.stop());
afterEach(async () => {
  for (const { id } of await listVms()) await stack.api("DELETE", `/api/vms/${id}`);
  await expect.poll(listVms, { timeout: 30_000 }).toEqual([]);
});

const listVms = async () => (await stack.api<{ items: Vm[] }>("GET", "/api/vms")).body.items;

function create(name: string, more: object = {}, headers?: Record<string, string>): Promise<ApiAnswer<Vm>> {
  return stack.api<Vm>("POST", "/api/vms", { name, image: "mini", size: "nano", ...more }, headers);
}

function times<T>(count: number, run: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => run(index)));
}

/** How many answers there were of each status. */
function statuses(answers: ApiAnswer<unknown>[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test("one Idempotency-Key, eight requests at once: one VM, the same answer", async () => {
  const answers = await times(8, () => create("once", {}, { "idempotency-key": "the-same" }));
  expect(statuses(answers)).toEqual({ 201: 8 });
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(await listVms()).toHaveLength(1);
});

test("twenty creates at once: no address, MAC or port is given twice", async () => {
  const answers = await times(20, (index) => create(`many-${index}`));
  expect(statuses(answers)).toEqual({ 201: 20 });
  for (const read of [(vm: Vm) => vm.ipv4, (vm: Vm) => vm.mac, (vm: Vm) => vm.ssh.port]) {
    expect(new Set(answers.map(({ body }) => read(body))).size).toBe(20);
  }
});

test("eight creates of one name at once: one wins, the others are told that the name is taken", async () => {
  const answers = await times(8, () => create("wanted"));
  expect(statuses(answers)).toEqual({ 201: 1, 409: 7 });
  expect(await listVms()).toHaveLength(1);
});

test("a network with room for four and twelve creates at once: four win, each with its own", async () => {
  const pool = openPool(stack.settings, { maxConnections: 1 });
  try {
    await pool.query("insert into networks (name, cidr, gateway) values ('tiny', '10.9.0.0/29', '10.9.0.1')");
  } finally {
    await pool.end();
  }
  const answers = await times(12, (index) => create(`tiny-${index}`, { network: "tiny" }));
  expect(statuses(answers)).toEqual({ 201: 4, 409: 8 });
  const addresses = (await listVms()).map(({ ipv4 }) => ipv4).sort();
  expect(addresses).toEqual(["10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5"]);
});

test("two requests at once for the last of the memory: one wins, and the other is told what is free", async () => {
  const { body: host } = await stack.api<{ memoryFreeBytes: number }>("GET", "/api/host");
  const memory = Math.floor(host.memoryFreeBytes / 2 / GIB) * GIB + GIB;
  const answers = await times(2, (index) => create(`greedy-${index}`, { memory }));
  expect(statuses(answers)).toEqual({ 201: 1, 507: 1 });
  const refusal = answers.find(({ status }) => status === 507)?.body;
  expect(refusal).toMatchObject({ code: "insufficient_capacity", detail: expect.stringContaining("free") });
});

test("start and stop of one VM, many at once: it ends as it was asked last, and nothing stays open", async () => {
  const { body: vm } = await create("torn");
  await times(10, (index) => stack.api("POST", `/api/vms/${vm.id}/${index % 2 ? "start" : "stop"}`, {}));
  const last = await stack.api("POST", `/api/vms/${vm.id}/stop`, {});
  expect(last.status).toBe(202);
  await expect
    .poll(async () => (await stack.api<Vm>("GET", `/api/vms/${vm.id}`)).body.status, { timeout: 30_000 })
    .toBe("stopped");
  const open = async () => {
    const { body } = await stack.api<{ items: { status: string }[] }>("GET", `/api/operations?vm=${vm.id}`);
    return body.items.filter(({ status }) => status === "pending" || status === "running");
  };
  await expect.poll(open).toEqual([]);
});
