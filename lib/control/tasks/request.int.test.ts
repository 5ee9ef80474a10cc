import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { getOperation } from "../operations";
import { testControlPlane } from "../testControlPlane";
import { cancelOperation, requestTask } from "./request";

const plane = testControlPlane();

const work = { kind: "image-build", taskKind: "build", params: {}, actor: "system", dedupKey: "build it" } as const;

test("two who ask for the same get one operation", async () => {
  const { db } = await plane.hostedContextWith(testHypervisor());
  const [one, other] = await Promise.all([1, 2].map(() => db.transaction((tx) => requestTask(tx, work))));
  expect(one?.id).toBe(other?.id);
});

test("who asks for what stands alone while one that was cancelled is cleaned up after gets another one, which others find", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const ask = () => context.db.transaction((tx) => requestTask(tx, { ...work, standsAlone: true }));
  const first = await ask();
  await cancelOperation(context, first.id);
  const second = await ask();
  expect(second.id).not.toBe(first.id);
  expect((await ask()).id).toBe(second.id);
  expect(await getOperation(context, first.id)).toMatchObject({ status: "pending" });
});

test("what works on what another one works on waits for its end, though that was cancelled", async () => {
  const context = await plane.hostedContextWith(testHypervisor());
  const ask = () => context.db.transaction((tx) => requestTask(tx, work));
  const first = await ask();
  await cancelOperation(context, first.id);
  expect((await ask()).id).toBe(first.id);
});
