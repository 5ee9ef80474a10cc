import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../testing/until";
import { SerialConsole } from "./console";

let folder: string;
let guest: Server;
let port: Socket;
let serial: SerialConsole;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
  guest = createServer();
  guest.listen(join(folder, "serial-qemu.sock"));
  await once(guest, "listening");
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  serial = new SerialConsole({ logFile: join(folder, "serial.log"), log, onOutput: silent });
  const connected = once(guest, "connection");
  await serial.attach(join(folder, "serial-qemu.sock"), () => true);
  [port] = await connected;
});
afterEach(async () => {
  await serial.close();
  port.destroy();
  await new Promise((resolve) => guest.close(resolve));
  await rm(folder, { recursive: true });
});

function read(stream: Duplex): { text: string } {
  const shown = { text: "" };
  stream.on("data", (chunk: Buffer) => {
    shown.text += chunk.toString();
  });
  return shown;
}

test("a slow terminal is dropped; the port and the others go on", async () => {
  const slow = await serial.open();
  const failed = once(slow, "error");
  const quick = await serial.open();
  let received = 0;
  quick.on("data", (chunk: Buffer) => {
    received += chunk.length;
  });
  const flood = Buffer.alloc(256 * 1024, "x");
  for (let index = 0; index < 32; index += 1) port.write(flood);
  const [error] = await failed;
  expect(error.message).toContain("too slowly");
  await until(() => received === 32 * flood.length);
  expect(quick.destroyed).toBe(false);
});

test("what each terminal writes reaches the guest; one that ends ends alone", async () => {
  const input = read(port);
  const [first, second] = [await serial.open(), await serial.open()];
  first.end("one ");
  await until(() => input.text === "one ");
  second.write("two");
  await until(() => input.text === "one two");
  expect(second.destroyed).toBe(false);
});

test("keys pressed while the VM is off go nowhere, and the terminal stays for the next start", async () => {
  const terminal = await serial.open();
  const shown = read(terminal);
  guest.removeAllListeners("connection");
  port.destroy();
  terminal.write("lost");
  const [next] = await once(guest, "connection");
  port = next;
  next.write("back");
  await until(() => shown.text.endsWith("back"));
});
