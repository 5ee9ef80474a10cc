import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Vm } from "../../lib/domain/vm";
import { agentFailpoints, consoleFailpoints } from "../../lib/failpoints";
import { chosenCases } from "../../lib/system/testing/slowTests";
import { type FaultStack, type Part, startFaultStack } from "./faultStack";

type Act = "create" | "start" | "stop" | "destroy";
/** Those of snapshots are walked in snapshotSteps.int.test.ts. */
type Place = (typeof consoleFailpoints)[number] | (typeof agentFailpoints)[number];

/** In which acts the code comes to each place. A new place is a type error until it stands here, and then it is tested. */
const actsOf: Record<Place, readonly Act[]> = {
  "create.before-commit": ["create"],
  "create.committed": ["create"],
  "converge.observed": ["create", "start", "stop", "destroy"],
  "converge.before-ensure": ["create", "start"],
  "converge.ensured": ["create", "start"],
  "converge.started": ["create", "start"],
  "start.committed": ["start"],
  "stop.committed": ["stop"],
  "converge.before-stop": ["stop"],
  "converge.stopped": ["stop"],
  "destroy.committed": ["destroy"],
  "converge.before-remove": ["destroy"],
  "converge.removed": ["destroy"],
  "agent.ensure.folder-made": ["create"],
  "agent.ensure.disk-made": ["create"],
  "agent.ensure.seed-made": ["create"],
  "agent.start.before-spawn": ["create", "start"],
  "agent.start.spawned": ["create", "start"],
  "agent.start.running": ["create", "start"],
  "agent.stop.intent-written": ["stop", "destroy"],
  "agent.stop.quit-sent": ["stop", "destroy"],
  "agent.stop.gone": ["stop", "destroy"],
  "agent.remove.stopped": ["destroy"],
  "agent.remove.half-removed": ["destroy"],
};

const cases = chosenCases(actsOf);
const casesOf = (failpoints: readonly Place[]) => cases.filter(([failpoint]) => failpoints.includes(failpoint));

let stack: FaultStack;
let bystander: Vm;
let bystanderPid: number | null;

beforeAll(async () => {
  stack = await startFaultStack();
  bystander = await stack.createVm("bystander");
  await stack.settles(bystander.id, { status: "running" });
  bystanderPid = await stack.qemuPid(bystander.id);
}, 120_000);
afterEach(() => stack.revive());
afterAll(() => stack?.stop());

const deaths: [victim: Part, failpoints: readonly Place[]][] = [
  ["console", consoleFailpoints],
  ["postgres", consoleFailpoints],
  ["agent", agentFailpoints],
];

describe.each(deaths)("the %s is killed", (victim, failpoints) => {
  test.each(casesOf(failpoints))("at %s: the %s is done after a restart", async (failpoint, act) => {
    const before = await prepare(act);
    await stack.arm(failpoint, victim);
    const answer = await ask(act, before);
    await stack.died(victim);
    await stack.revive();
    // A guest that boots wakes the converger too: that may be what came to the place, before the request did.
    const isLost = before !== undefined && failpoint === "converge.observed" && !isAcknowledged(answer);
    if (isLost) await ask(act, before);
    await isDone(act, before ?? (await acknowledged(answer, failpoint, victim)));
    expect(await stack.qemuPid(bystander.id)).toBe(bystanderPid);
    await stack.agrees();
  });
});

let count = 0;
let name = "";
/** Started and stopped by turns; created once. */
let subject: Vm | undefined;

/** Brings a VM to the state before the act; none before a create. */
async function prepare(act: Act): Promise<Vm | undefined> {
  count += 1;
  name = `${act}-${count}`;
  if (act === "create") return undefined;
  if (act === "destroy") {
    const vm = await stack.createVm(name);
    return stack.settles(vm.id, { status: "running" });
  }
  subject ??= await stack.createVm("subject");
  await stack.power(subject.id, act === "start" ? "stop" : "start");
  return stack.settles(subject.id, { status: act === "start" ? "stopped" : "running" });
}

/** Asks once. The answer may be lost, or say that the database is away. */
function ask(act: Act, vm: Vm | undefined) {
  if (!vm) return askForVm();
  if (act === "destroy") return stack.tryApi<Vm>("DELETE", `/api/vms/${vm.id}`);
  return stack.tryApi<Vm>("POST", `/api/vms/${vm.id}/${act}`, {});
}

function askForVm() {
  const body = { name, image: "mini", size: "nano" };
  return stack.tryApi<Vm>("POST", "/api/vms", body, { "idempotency-key": name });
}

function isAcknowledged(answer: Awaited<ReturnType<typeof ask>>): boolean {
  return answer !== undefined && answer.status < 300;
}

/** The VM that was created. Without an answer a client asks again with the same key, and it is there once. */
async function acknowledged(answer: Awaited<ReturnType<typeof askForVm>>, failpoint: Place, victim: Part) {
  if (answer && isAcknowledged(answer)) return answer.body;
  if (failpoint === "create.before-commit" && victim === "console") expect(await vmsOfThatName()).toEqual([]);
  const again = await askForVm();
  expect(again).toMatchObject({ status: 201, body: { name } });
  expect(await vmsOfThatName()).toHaveLength(1);
  return again?.body as Vm;
}

async function vmsOfThatName(): Promise<Vm[]> {
  return (await stack.api<{ items: Vm[] }>("GET", `/api/vms?search=${name}`)).body.items;
}

async function isDone(act: Act, vm: Vm): Promise<void> {
  if (act === "destroy") return stack.isGone(vm.id);
  await stack.settles(vm.id, { status: act === "stop" ? "stopped" : "running" });
  if (act !== "create") return;
  await stack.agrees();
  await stack.api("DELETE", `/api/vms/${vm.id}`);
  await stack.isGone(vm.id);
}
