import { CumulusError } from "../../lib/domain/errors";
import type { ApiAnswer, Stack } from "../stack";
import type { Benchmark, Figure } from "./benchmark";
import { sampleOf } from "./stats";
import { createReadyVm, createVm, untilAllReady } from "./vms";
import { withStack } from "./withStack";

const rounds = 30;
const vmCount = 200;

/** A firewall, or a network. */
interface Pending {
  id: number;
  /** Why it is not in effect yet. */
  pending: string | null;
}

/** How long an owner of many VMs waits for a firewall's new rule, or for a network: the API's part. What nft takes is the benchmark `network-change`. */
export const firewallChange: Benchmark = {
  name: "firewall-change",
  what: `milliseconds of a firewall's new rule over the API, with ${vmCount} VMs that have the firewall, and of a network beside them (fake hypervisor)`,
  measure: (note) =>
    withStack(
      "fake",
      async (stack) => {
        const alone = await makeFirewall(stack, "alone");
        const shared = await makeFirewall(stack, "shared");
        await createReadyVm(stack, "vm-0", { firewalls: [alone] });
        note(`${rounds} networks beside 1 VM`);
        const besideOne = await networkMilliseconds(stack);
        note(`creates ${vmCount} VMs more`);
        for (let count = 1; count <= vmCount; count++) await createVm(stack, `vm-${count}`, { firewalls: [shared] });
        await untilAllReady(stack, vmCount + 1, 300_000);
        note(`${rounds} changes of each`);
        const [many, one]: [number[], number[]] = [[], []];
        for (let round = 1; round <= rounds; round++) {
          many.push(await changeMilliseconds(stack, shared, "shared", round));
          one.push(await changeMilliseconds(stack, alone, "alone", round));
        }
        note(`${rounds} networks beside all`);
        const besideMany = await networkMilliseconds(stack);
        const figure = (name: string, [value, beside]: [number[], number[]], what = "beside 1 VM"): Figure => ({
          name,
          unit: "ms",
          value: sampleOf(value),
          baseline: { what, value: sampleOf(beside) },
        });
        return [
          figure(`PUT of a firewall that ${vmCount} VMs have`, [many, one], "one that 1 VM has"),
          figure(`POST /api/networks beside ${vmCount} VMs`, [besideMany.posts, besideOne.posts]),
          figure(`DELETE of a network beside ${vmCount} VMs`, [besideMany.deletes, besideOne.deletes]),
        ];
      },
      "bridge",
    ),
};

async function makeFirewall(stack: Stack, name: string): Promise<number> {
  const { status, body } = await stack.api<Pending>("POST", "/api/firewalls", { name, rules: [ruleFor(1)] });
  if (status !== 201) throw new CumulusError("internal", `POST /api/firewalls: ${status} ${JSON.stringify(body)}`);
  return body.id;
}

/** Until the API says that the host has it. */
async function changeMilliseconds(stack: Stack, id: number, name: string, round: number): Promise<number> {
  const startMs = performance.now();
  const rules = [ruleFor(1), ruleFor(1 + round)];
  const answer = await stack.api<Pending>("PUT", `/api/firewalls/${id}`, { name, rules });
  const tookMs = performance.now() - startMs;
  assertInEffect(`PUT /api/firewalls/${id}`, answer, 200);
  return tookMs;
}

/** A network that comes, and goes, so many times: each until the API says that the host has done it. */
async function networkMilliseconds(stack: Stack): Promise<{ posts: number[]; deletes: number[] }> {
  const [posts, deletes]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    const startMs = performance.now();
    const made = await stack.api<Pending>("POST", "/api/networks", { name: "passing", cidr: "10.99.0.0/24" });
    posts.push(performance.now() - startMs);
    assertInEffect("POST /api/networks", made, 201);
    const path = `/api/networks/${made.body.id}`;
    const goingMs = performance.now();
    const gone = await stack.api<Pending>("DELETE", path);
    deletes.push(performance.now() - goingMs);
    assertInEffect(`DELETE ${path}`, gone, 200);
  }
  return { posts, deletes };
}

function assertInEffect(what: string, { status, body }: ApiAnswer<Pending>, wanted: number): void {
  if (status === wanted && body.pending === null) return;
  throw new CumulusError("internal", `${what}: ${status} ${JSON.stringify(body)}`);
}

function ruleFor(port: number): object {
  return { direction: "ingress", protocol: "tcp", ports: [{ from: port, to: port }], cidrs: [], firewalls: [] };
}
