import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { closeCodes } from "../domain/console";
import type { ConsoleLimits } from "./limits";
import { startTestConsole, type TestConsole, until } from "./testConsole";

let it: TestConsole;
afterEach(() => it.close());

async function connected(limits: Partial<ConsoleLimits> = {}) {
  it = await startTestConsole(limits);
  const client: WebSocket = it.open("/api/vms/7/vnc");
  await once(client, "open");
  const machine = it.machines[0];
  if (!machine) throw new Error("the VM was not connected");
  return { client, machine };
}

async function closeCode(client: WebSocket): Promise<number> {
  const [code] = (await once(client, "close")) as [number];
  return code;
}

test("bytes pass both ways unchanged, as binary messages", async () => {
  const { client, machine } = await connected();
  const sent = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
  const received: Buffer[] = [];
  client.on("message", (data: Buffer, isBinary) => received.push(isBinary ? data : Buffer.alloc(0)));
  machine.write(sent);
  await until("all arrive at the browser", () => Buffer.concat(received).length === sent.length);
  expect(Buffer.concat(received).equals(sent)).toBe(true);

  const typed: Buffer[] = [];
  machine.on("data", (data: Buffer) => typed.push(data));
  client.send(sent);
  await until("all arrive at the VM", () => Buffer.concat(typed).length === sent.length);
  expect(Buffer.concat(typed).equals(sent)).toBe(true);
});

test("the last bytes before the VM's end arrive", async () => {
  const { client, machine } = await connected();
  const received: Buffer[] = [];
  client.on("message", (data: Buffer) => received.push(data));
  machine.end(Buffer.alloc(500_000, 1));
  expect(await closeCode(client)).toBe(closeCodes.ended);
  expect(Buffer.concat(received)).toHaveLength(500_000);
});

test("a text message ends the console", async () => {
  const { client } = await connected();
  client.send("text");
  expect(await closeCode(client)).toBe(closeCodes.binaryOnly);
});

test("a message larger than the limit ends the console and nothing of it reaches the VM", async () => {
  const { client, machine } = await connected({ maxPayloadBytes: 1_000 });
  const typed: Buffer[] = [];
  machine.on("data", (data: Buffer) => typed.push(data));
  client.send(Buffer.alloc(1_001));
  expect(await closeCode(client)).toBe(1009);
  expect(typed).toEqual([]);
});

test("a broken connection to the VM closes the browser's, and the other way round", async () => {
  const { client, machine } = await connected();
  machine.destroy();
  expect([closeCodes.ended, closeCodes.failed]).toContain(await closeCode(client));
  const second: WebSocket = it.open("/api/vms/7/vnc");
  await once(second, "open");
  second.terminate();
  await until("the VM's connection is closed", () => it.machines[1]?.destroyed === true);
});

test("memory stays flat when the browser stops reading, and it is cut when it goes on for too long", async () => {
  const { client, machine } = await connected({ stallTimeoutMs: 400 });
  client.pause();
  const chunk = Buffer.alloc(64 * 1024, 7);
  let written = 0;
  let isOver = false;
  machine.on("error", () => {});
  machine.once("close", () => {
    isOver = true;
  });
  const write = () => {
    while (!isOver && machine.write(chunk)) written += chunk.length;
    if (!isOver) machine.once("drain", write);
  };
  write();
  // What the kernel keeps for a socket that isn't read is some megabytes; an unlimited sender reaches gigabytes in this time.
  await until("the console is cut", () => isOver);
  expect(written).toBeLessThan(24 * 1024 * 1024);
});

test("a browser that reads slowly gets everything, unchanged", async () => {
  const { client, machine } = await connected({ stallTimeoutMs: 1_000 });
  const total = 12 * 1024 * 1024;
  const sent = randomBytes(total);
  const digest = createHash("sha256");
  let received = 0;
  client.on("message", (data: Buffer) => {
    received += data.length;
    digest.update(data);
    client.pause();
    setTimeout(() => client.resume(), 2);
  });
  for (let at = 0; at < total; at += 64 * 1024) machine.write(sent.subarray(at, at + 64 * 1024));
  await until("all arrive", () => received === total);
  expect(digest.digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
});

test("a VM that takes no input stops the browser's sending, and loses nothing", async () => {
  const { client, machine } = await connected();
  machine.pause();
  const total = 32 * 1024 * 1024;
  for (let at = 0; at < total; at += 512 * 1024) client.send(Buffer.alloc(512 * 1024));
  let before = -1;
  await until("the browser's own buffer fills", () => {
    const isStill = client.bufferedAmount === before;
    before = client.bufferedAmount;
    return isStill && before > 0;
  });
  let typed = 0;
  machine.on("data", (data: Buffer) => {
    typed += data.length;
  });
  machine.resume();
  await until("all arrive", () => typed === total);
});

test("a browser that vanished is noticed by its missing pong", async () => {
  const { client, machine } = await connected({ pingIntervalMs: 50 });
  client.pause();
  await until("the VM's connection is closed", () => machine.destroyed);
});

test("a browser that is only quiet stays", async () => {
  const { client, machine } = await connected({ pingIntervalMs: 250 });
  let pings = 0;
  client.on("ping", () => {
    pings += 1;
  });
  await until("some pings", () => pings > 5);
  expect(machine.destroyed).toBe(false);
});
