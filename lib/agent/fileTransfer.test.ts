import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { z } from "zod";
import { CumulusError } from "../domain/errors";
import { type AnyTaskKind, taskKind } from "./tasks/kind";
import { startTestAgent, testHypervisor, testTaskRunner } from "./testAgent";
import type { Upload } from "./uploads";

const MiB = 1024 ** 2;

async function agentThat(receive: (upload: Upload) => Promise<unknown>) {
  const hypervisor = testHypervisor();
  const kinds: Record<string, AnyTaskKind> = {
    take: taskKind({
      params: z.object({}),
      run: (_params, { uploads, operationId, signal }) => uploads.take(operationId, signal, receive),
    }),
  };
  const { client } = await startTestAgent(hypervisor, { tasks: testTaskRunner(hypervisor, kinds) });
  await client.putTask(1, "take", {});
  const ended = async () => {
    let state = await client.getTask(1, 0, 0);
    while (state.status === "running") state = await client.getTask(1, state.version, 1_000);
    return state;
  };
  return { client, ended };
}

async function sizeOf(body: Readable): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return bytes;
}

function* chunks(count: number, onEach: () => void = () => {}) {
  for (let index = 0; index < count; index++) {
    onEach();
    yield Buffer.alloc(MiB);
  }
}

test("a file reaches the task that waits for it, with or without its size", async () => {
  for (const contentLength of [8 * MiB, null]) {
    const { client, ended } = await agentThat(async ({ body, contentLength: said }) => {
      expect(said).toBe(contentLength);
      return sizeOf(body);
    });
    await client.upload(1, Readable.from(chunks(8)), contentLength);
    expect(await ended()).toMatchObject({ status: "done", result: 8 * MiB });
  }
});

test("what a task says of a file that it won't read to the end reaches the sender, who then sends no more", async () => {
  const { client, ended } = await agentThat(async ({ body }) => {
    for await (const _chunk of body) throw new CumulusError("too_large", "This is too much.");
  });
  let sent = 0;
  const count = () => {
    sent += 1;
  };
  await expect(client.upload(1, Readable.from(chunks(1_000, count)), null)).rejects.toMatchObject({
    code: "too_large",
    message: "This is too much.",
  });
  expect(sent).toBeLessThan(100);
  expect(await ended()).toMatchObject({ status: "failed", error: { code: "too_large" } });
});

test("a sender that breaks off breaks the task off", async () => {
  const { client, ended } = await agentThat(({ body }) => sizeOf(body));
  const breaking = Readable.from(
    (function* () {
      yield* chunks(2);
      throw new Error("The cable was cut.");
    })(),
  );
  await expect(client.upload(1, breaking, null)).rejects.toThrow("The cable was cut.");
  expect(await ended()).toMatchObject({ status: "failed" });
});
