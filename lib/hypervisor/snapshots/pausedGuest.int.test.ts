import { afterAll, beforeAll, expect, test } from "vitest";
import type { TaskReport } from "../../domain/task";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";

let host: TestHost;
let bed: SnapshotBed;
beforeAll(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
  await bed.agent.ensure(await host.spec(1));
  await bed.start();
});
afterAll(() => host?.close());

const silent: TaskReport = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();

test("the memory of a guest that its user paused is kept once, and refused with what to do until it has run again; its disk is kept at any time", async () => {
  await bed.agent.pause(1);
  const expectPaused = async () => expect(await bed.agent.observe(1)).toMatchObject({ state: "paused" });
  expect(await bed.take(1, true)).toMatchObject({ consistency: "memory", pauseMs: 0 });
  await expectPaused();
  const said: string[] = [];
  const told = { ...silent, progress: (_: number, message: string) => said.push(message) };
  const refusal = { code: "conflict", message: expect.stringContaining("Resume the VM") };
  await expect(bed.take(2, true, told)).rejects.toMatchObject(refusal);
  expect(said).toEqual([]);
  await bed.take(3);
  await expectPaused();
  await bed.agent.resume(1);
  await bed.untilEchoes(1);
  await bed.agent.pause(1);
  expect(await bed.take(2, true)).toMatchObject({ consistency: "memory", parentId: 3 });
  await bed.agent.resume(1);
  await bed.untilEchoes(1);
  await bed.agent.restoreSnapshot(1, { snapshotId: 2, operationId: 11 }, silent, signal);
  await untilSeen(bed.agent, 1, ({ state }) => state === "running");
  await bed.untilEchoes(1);
  await bed.expectNothingLeft();
});
