import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MIB } from "../../domain/units";
import { MemoryReceiver } from "./memoryStream";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Sends so much to a receiver that keeps 2 MiB at most. */
async function receive(name: string, bytes: number) {
  const file = join(folder, name);
  const socketPath = join(folder, "socket");
  const limits = { mayBreakOff: true, mostBytes: 2 * MIB };
  const receiver = await MemoryReceiver.listen(socketPath, null, file, limits);
  const socket = createConnection({ path: socketPath });
  socket.end(Buffer.alloc(bytes, 1));
  await once(socket, "close");
  return { file, done: receiver.done() };
}

test("a memory that takes as much as it may is whole", async () => {
  const { file, done } = await receive("whole", 2 * MIB);
  await done;
  expect((await stat(file)).size).toBe(2 * MIB);
});

test("a memory that takes more than it may is none, and its file is no larger than that", async () => {
  const { file, done } = await receive("larger", 5 * MIB);
  await expect(done).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("take the disk alone"),
  });
  expect((await stat(file)).size).toBeLessThanOrEqual(2 * MIB);
});
