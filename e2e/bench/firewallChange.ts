import { CumulusError } from "../../lib/domain/errors";
import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { sampleOf } from "./stats";
import { createVm, untilAllReady } from "./vms";
import { withStack } from "./withStack";

const rounds = 30;
const vmCount = 200;

interface Firewall {
  id: number;
  /** Why it is not in effect yet. */
  pending: string | null;
}

/** How long an owner of many VMs waits for a firewall's new rule: the API's part. What nft takes is the benchmark `network-change`. */
export const firewallChange: Benchmark = {
  name: "firewall-change",
  what: `milliseconds of a firewall's new rule over the API, with ${vmCount} VMs that have the firewall (fake hypervisor)`,
  measure: (note) =>
    withStack(
      "fake",
      async (stack) => {
        const alone = await makeFirewall(stack, "alone");
        const shared = await makeFirewall(stack, "shared");
        note(`creates ${vmCount + 1} VMs`);
        await createVm(stack, "vm-0", { firewalls: [alone] });
        for (let count = 1; count <= vmCount; count++) await createVm(stack, `vm-${count}`, { firewalls: [shared] });
        await untilAllReady(stack, vmCount + 1, 300_000);
        note(`${rounds} changes of each`);
        const [many, one]: [number[], number[]] = [[], []];
        for (let round = 1; round <= rounds; round++) {
          many.push(await changeMilliseconds(stack, shared, "shared", round));
          one.push(await changeMilliseconds(stack, alone, "alone", round));
        }
        const baseline = { what: "one that 1 VM has", value: sampleOf(one) };
        return [{ name: `PUT of a firewall that ${vmCount} VMs have`, unit: "ms", value: sampleOf(many), baseline }];
      },
      "bridge",
    ),
};

async function makeFirewall(stack: Stack, name: string): Promise<number> {
  const { status, body } = await stack.api<Firewall>("POST", "/api/firewalls", { name, rules: [ruleFor(1)] });
  if (status !== 201) throw new CumulusError("internal", `POST /api/firewalls: ${status} ${JSON.stringify(body)}`);
  return body.id;
}

/** Until the API says that the host has it. */
async function changeMilliseconds(stack: Stack, id: number, name: string, round: number): Promise<number> {
  const startMs = performance.now();
  const rules = [ruleFor(1), ruleFor(1 + round)];
  const { status, body } = await stack.api<Firewall>("PUT", `/api/firewalls/${id}`, { name, rules });
  if (status === 200 && body.pending === null) return performance.now() - startMs;
  throw new CumulusError("internal", `PUT /api/firewalls/${id}: ${status} ${JSON.stringify(body)}`);
}

function ruleFor(port: number): object {
  return { direction: "ingress", protocol: "tcp", ports: [{ from: port, to: port }], cidrs: [], firewalls: [] };
}
