import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { CumulusError } from "../../domain/errors";
import type { TaskState } from "../../domain/task";
import { getOperation } from "../operations";
import { testControlPlane } from "../testControlPlane";
import { startTaskFollower } from "./follower";
import { requestTask } from "./request";

const plane = testControlPlane();

test("a task that an agent no longer has when it is back is asked for again", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const { id } = await requestTask(context.db, { kind: "image-build", taskKind: "build", params: {}, actor: "system" });
  const begun: TaskState = {
    id,
    kind: "build",
    status: "running",
    percent: 50,
    message: null,
    transfer: null,
    result: null,
    error: null,
    version: 3,
  };
  const asked = [begun, { ...begun, status: "failed" as const, error: { code: "internal", message: "Done anew." } }];
  const agent = {
    ...context.agent,
    putTask: async () => asked.shift() ?? begun,
    getTask: async () => Promise.reject(new CumulusError("not_found", `This host knows no task ${id}.`)),
  };
  const follower = startTaskFollower({ ...context, agent }, { subscribe: () => () => {} });
  onTestFinished(() => follower.stop());
  const operation = () => getOperation(context, id);
  await expect.poll(operation, { timeout: 20_000 }).toMatchObject({ status: "failed", error: "Done anew." });
});

test("a task that the agent refuses has failed, also when that can't be written down at once", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const { id } = await requestTask(context.db, { kind: "image-build", taskKind: "build", params: {}, actor: "system" });
  const refusal = new CumulusError("bad_request", "This host knows no such work.");
  const agent = { ...context.agent, putTask: async () => Promise.reject(refusal) };
  await plane.pool.query("alter table operations add constraint broken check (status <> 'failed') not valid");
  onTestFinished(async () => void (await plane.pool.query("alter table operations drop constraint if exists broken")));
  const logged: object[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void logged.push(JSON.parse(line)) });
  const follower = startTaskFollower({ ...context, agent, log }, { subscribe: () => () => {} });
  onTestFinished(() => follower.stop());
  await expect.poll(() => logged, { timeout: 20_000 }).toContainEqual(expect.objectContaining({ operationId: id }));
  await plane.pool.query("alter table operations drop constraint broken");
  const operation = () => getOperation(context, id);
  await expect.poll(operation, { timeout: 20_000 }).toMatchObject({ status: "failed", error: refusal.message });
});
