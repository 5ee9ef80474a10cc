import { afterAll, beforeAll, expect, test } from "vitest";
import { networkStateOf } from "../../lib/control/networks/state";
import { openDatabase, openPool } from "../../lib/db/client";
import type { HostNetwork } from "../../lib/domain/hostNetwork";
import type { Network } from "../../lib/domain/network";
import { networkFingerprint } from "../../lib/domain/networkFingerprint";
import { type Stack, startStack } from "../stack";
import { type List, networkClient } from "./networkClient";

let stack: Stack;
let client: ReturnType<typeof networkClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake", network: "bridge" });
  client = networkClient(stack);
});
afterAll(() => stack?.stop());

const find = async (path: string) => (await stack.api<Network>("GET", path)).body;

/** A network as the host holds it; fails where what it holds is not what is written down. */
async function heldByHost(id: number): Promise<HostNetwork | undefined> {
  const pool = openPool(stack.settings, { maxConnections: 1 });
  try {
    const state = await networkStateOf(openDatabase(pool), "bridge", stack.settings.port);
    expect((await stack.agent.host()).network.applied).toBe(networkFingerprint(state));
    return state.networks.find((network) => network.id === id);
  } finally {
    await pool.end();
  }
}

test("a network may reach another and have a routed way out: both are told, kept, and known to the host at once", async () => {
  const { body: present } = await stack.api<List<Network>>("GET", "/api/networks");
  const other = present.items.find(({ name }) => name === "default")?.id ?? 0;
  const wishes = { reaches: [other], outside: "routed" };
  const { status, body: network } = await client.createNetwork("office", "10.40.0.0/24", wishes);
  expect([status, network]).toEqual([201, expect.objectContaining({ ...wishes, pending: null, whyNot: null })]);
  const path = `/api/networks/${network.id}`;
  expect(await find(path)).toMatchObject(wishes);
  expect(await heldByHost(network.id)).toMatchObject(wishes);
  // It is the one that reaches, and is not reached for it.
  expect(await find(`/api/networks/${other}`)).toMatchObject({ reaches: [], outside: "nat" });

  const apart = { reaches: [], outside: "nat" };
  expect(await stack.api<Network>("PATCH", path, apart)).toMatchObject({ status: 200, body: apart });
  expect(await heldByHost(network.id)).toMatchObject(apart);
  expect((await stack.api("PATCH", path, wishes)).status).toBe(200);
  expect(await heldByHost(network.id)).toMatchObject(wishes);
});

test("a network that others reach may go: they reach it no more", async () => {
  const { body: goal } = await client.createNetwork("goal", "10.41.0.0/24");
  const { body: network } = await client.createNetwork("seeker", "10.42.0.0/24", { reaches: [goal.id] });
  expect(await heldByHost(network.id)).toMatchObject({ reaches: [goal.id] });
  expect((await stack.api("DELETE", `/api/networks/${goal.id}`)).status).toBe(200);
  expect(await find(`/api/networks/${network.id}`)).toMatchObject({ reaches: [] });
  expect(await heldByHost(network.id)).toMatchObject({ reaches: [] });
});
