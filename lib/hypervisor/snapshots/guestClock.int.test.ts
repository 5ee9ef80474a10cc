import { afterAll, beforeAll, expect } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import type { TaskReport } from "../../domain/task";
import { slowTest } from "../../system/testing/slowTests";
import { noAgentForClock } from "../clockProblem";
import type { Hypervisor } from "../hypervisor";
import { MiniGuests } from "../testing/miniGuests";
import { TestHost } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let guests: MiniGuests;
let agent: Hypervisor;
let spec: MachineSpec;
let lastOperation = 0;

const said: string[] = [];
const report: TaskReport = { progress: () => {}, log: (line) => said.push(line) };
const { signal } = new AbortController();

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
  agent = await host.agent();
  spec = await guests.spec(1);
  await guests.start(agent, spec);
});
afterAll(async () => {
  await host?.close();
  await guests?.close();
});

function take(snapshotId: number) {
  const ask = { snapshotId, operationId: ++lastOperation, memory: true, freeze: false };
  return agent.takeSnapshot(1, ask, report, signal);
}

function restore(snapshotId: number) {
  return agent.restoreSnapshot(1, { snapshotId, operationId: ++lastOperation }, report, signal);
}

/** The agent in the guest may answer later than SSH does. */
async function takeWithAgent(snapshotId: number) {
  return until(async () => {
    const manifest = await take(snapshotId);
    if (manifest.hasGuestAgent) return manifest;
    await agent.removeSnapshot(snapshotId);
    return null;
  }, 60_000);
}

slowTest(
  "a restore with memory says whether the guest's clock could be set: by its agent, by one that no longer answers, by none",
  {
    timeout: 600_000,
  },
  async () => {
    await takeWithAgent(1);
    expect(await restore(1)).toMatchObject({ state: "running", clockProblem: null });
    expect(said).toEqual([]);

    // It has answered in this boot, and does no more.
    await takeWithAgent(2);
    await agent.removeSnapshot(2);
    await guests.run(spec, "kill -STOP $(pidof qemu-ga)");
    expect(await take(3)).toMatchObject({ hasGuestAgent: true });
    const silent = expect.stringMatching(/^Its clock is as it was then: set it in the guest\. The guest's agent/);
    expect(await restore(3)).toMatchObject({ state: "running", clockProblem: silent });

    expect(await take(4)).toMatchObject({ hasGuestAgent: false });
    expect(await restore(4)).toMatchObject({ state: "running", clockProblem: noAgentForClock });
    expect(said).toEqual([silent, noAgentForClock]);
  },
);
