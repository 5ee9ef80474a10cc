import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { openPool } from "../../lib/db/client";
import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { sampleOf } from "./stats";
import { createVm, untilAllReady } from "./vms";
import { withStack } from "./withStack";

const vmCount = 1_000;
const creators = 8;
const warmUps = 10;
const rounds = 100;
const keepAlive = new Agent({ keepAlive: true });

export const listVms: Benchmark = {
  name: "list-vms",
  what: `milliseconds of GET /api/vms with ${vmCount} running VMs (fake hypervisor)`,
  measure: (note) =>
    withStack("fake", async (stack) => {
      await widenNetwork(stack);
      note(`creates ${vmCount} VMs`);
      await createVms(stack);
      note("waits until all run");
      await untilAllReady(stack, vmCount, 600_000);
      note(`${rounds} lists`);
      for (let count = 0; count < warmUps; count++) await getMilliseconds(stack, "/api/vms");
      const list: number[] = [];
      const empty: number[] = [];
      for (let count = 0; count < rounds; count++) {
        list.push(await getMilliseconds(stack, "/api/vms"));
        empty.push(await getMilliseconds(stack, "/api/sizes"));
      }
      keepAlive.destroy();
      return [
        {
          name: `GET /api/vms, ${vmCount} VMs`,
          unit: "ms",
          value: sampleOf(list),
          baseline: { what: "GET /api/sizes", value: sampleOf(empty) },
          target: { of: "value", atMost: 30 },
        },
      ];
    }),
};

/** The default network has room for 252 VMs. */
async function widenNetwork({ settings }: Stack): Promise<void> {
  const pool = openPool(settings, { maxConnections: 1 });
  await pool.query("update networks set cidr = '192.168.0.0/20'");
  await pool.end();
}

async function createVms(stack: Stack): Promise<void> {
  const names = Array.from({ length: vmCount }, (_, index) => `vm-${index}`);
  const createNext = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) await createVm(stack, name, { memory: "64M" });
  };
  await Promise.all(Array.from({ length: creators }, createNext));
}

/** Until the last byte is here; what the client makes of it is not the server's time. No compression is asked for, as curl doesn't. */
async function getMilliseconds({ url, token }: Stack, path: string): Promise<number> {
  const startMs = performance.now();
  const asked = get(`${url}${path}`, { agent: keepAlive, headers: { authorization: `Bearer ${token}` } });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return performance.now() - startMs;
}
