import { CumulusError } from "../../lib/domain/errors";
import type { Vm } from "../../lib/domain/vm";
import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { sampleOf } from "./stats";
import { createVm, destroyVm, untilAllReady } from "./vms";
import { withStack } from "./withStack";

const rounds = 5;
const atOnce = 50;
const settleMs = 120_000;

type CreateAll = (create: (index: number) => Promise<Vm>) => Promise<Vm[]>;

const together: CreateAll = (create) => Promise.all(Array.from({ length: atOnce }, (_, index) => create(index)));

const inTurn: CreateAll = async (create) => {
  const made: Vm[] = [];
  for (let index = 0; index < atOnce; index++) made.push(await create(index));
  return made;
};

export const parallelCreates: Benchmark = {
  name: "parallel-creates",
  what: `addresses a second that ${atOnce} creates at once are given, against the same one after another`,
  measure: (note) =>
    withStack("fake", async (stack) => {
      const [parallel, serial]: [number[], number[]] = [[], []];
      for (let round = 1; round <= rounds; round++) {
        note(`round ${round} of ${rounds}`);
        // A network of its own, since addresses stay in quarantine.
        const network = `round-${round}`;
        await makeNetwork(stack, network, `10.90.${round}.0/24`);
        parallel.push(await addressesPerSecond(stack, network, together));
        serial.push(await addressesPerSecond(stack, network, inTurn));
      }
      const baseline = { what: "one after another", value: sampleOf(serial) };
      return [{ name: `Addresses, ${atOnce} creates at once`, unit: "1/s", value: sampleOf(parallel), baseline }];
    }),
};

/** How many creates a second are answered, each with an address that no other has. Their VMs are gone afterwards. */
async function addressesPerSecond(stack: Stack, network: string, createAll: CreateAll): Promise<number> {
  const startMs = performance.now();
  const made = await createAll((index) => createVm(stack, `vm-${index}`, { network }));
  const seconds = (performance.now() - startMs) / 1000;
  if (new Set(made.map(({ ipv4 }) => ipv4)).size !== atOnce)
    throw new CumulusError("internal", "Two VMs were given the same address.");
  await untilAllReady(stack, atOnce, settleMs);
  await Promise.all(made.map(({ id }) => destroyVm(stack, id)));
  return atOnce / seconds;
}

async function makeNetwork(stack: Stack, name: string, cidr: string): Promise<void> {
  const { status, body } = await stack.api("POST", "/api/networks", { name, cidr });
  if (status !== 201) throw new CumulusError("internal", `POST /api/networks: ${status} ${JSON.stringify(body)}`);
}
