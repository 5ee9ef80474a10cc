import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { MIB } from "../domain/units";
import { startTestAgent, testHypervisor } from "./testAgent";

/** A VM that sends without end as long as it is read, and takes what is written when told to. */
function flood() {
  const counts = { sent: 0, received: 0 };
  const chunk = Buffer.alloc(64 * 1024, "x");
  let take: (() => void) | undefined;
  let isTaking = true;
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {
      counts.sent += chunk.length;
      setImmediate(() => stream.push(chunk));
    },
    write(data: Buffer, _encoding, done) {
      counts.received += data.length;
      if (isTaking) done();
      else take = done;
    },
  });
  onTestFinished(() => void stream.destroy());
  const setTaking = (value: boolean) => {
    isTaking = value;
    take?.();
    take = undefined;
  };
  return { stream, counts, setTaking };
}

async function serve(stream: Duplex, stallAfterMs?: number) {
  const { socketPath } = await startTestAgent({ ...testHypervisor(), openVnc: async () => stream }, { stallAfterMs });
  return socketPath;
}

/** A viewer that has asked for the stream and reads nothing of it until it is resumed. */
async function openRaw(socketPath: string): Promise<Socket> {
  const socket = connect(socketPath);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => socket.destroy());
  const request = ["GET /machines/1/vnc HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket"];
  const handshake = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="];
  socket.write([...request, ...handshake, "", ""].join("\r\n"));
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}

async function settled(count: () => number): Promise<number> {
  let last = -1;
  await expect
    .poll(
      () => {
        const isSettled = count() === last;
        last = count();
        return isSettled;
      },
      { interval: 100, timeout: 10_000 },
    )
    .toBe(true);
  return last;
}

test("a viewer that doesn't read stops the reading of the VM, and starts it again", async () => {
  const { stream, counts } = flood();
  const viewer = await openRaw(await serve(stream));
  const atRest = await settled(() => counts.sent);
  expect(atRest).toBeLessThan(4 * MIB);
  expect(stream.isPaused()).toBe(true);
  let seen = 0;
  viewer.on("data", (data) => {
    seen += data.length;
  });
  await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(16 * MIB);
});

test("a viewer that reads nothing for the whole stall time is dropped", async () => {
  const { stream } = flood();
  await openRaw(await serve(stream, 100));
  await expect.poll(() => stream.destroyed, { timeout: 5_000 }).toBe(true);
});

test("a VM that takes nothing stops the reading of the viewer, and starts it again", async () => {
  const { stream, counts, setTaking } = flood();
  setTaking(false);
  const viewer = new WebSocket(`ws+unix:${await serve(stream)}:/machines/1/vnc`);
  onTestFinished(() => viewer.terminate());
  viewer.on("message", () => viewer.pause());
  await new Promise((resolve) => viewer.once("open", resolve));
  const messages = 32;
  for (let message = 0; message < messages; message++) viewer.send(Buffer.alloc(MIB));
  // The rest waits with the viewer: the agent holds one message, and the kernel some.
  expect(await settled(() => viewer.bufferedAmount)).toBeGreaterThan((messages - 4) * MIB);
  expect(counts.received).toBeLessThan(MIB);
  setTaking(true);
  await expect.poll(() => counts.received, { timeout: 10_000 }).toBe(messages * MIB);
});

test("a viewer whose VM takes nothing for the whole stall time is dropped", async () => {
  const { stream, setTaking } = flood();
  setTaking(false);
  const viewer = new WebSocket(`ws+unix:${await serve(stream, 100)}:/machines/1/vnc`);
  onTestFinished(() => viewer.terminate());
  viewer.on("open", () => viewer.send("typed"));
  await new Promise((resolve) => viewer.once("close", resolve));
  await expect.poll(() => stream.destroyed).toBe(true);
});

test("a VM that takes slowly but steadily is never given up", async () => {
  const { stream, counts, setTaking } = flood();
  setTaking(false);
  const viewer = new WebSocket(`ws+unix:${await serve(stream, 300)}:/machines/1/vnc`);
  onTestFinished(() => viewer.terminate());
  viewer.on("open", () => viewer.send(Buffer.alloc(160 * 1024)));
  const slow = setInterval(() => {
    setTaking(true);
    setTaking(false);
  }, 100);
  onTestFinished(() => clearInterval(slow));
  await expect.poll(() => counts.received, { timeout: 10_000 }).toBe(160 * 1024);
  expect(stream.destroyed).toBe(false);
});

test("the VM's end of the stream closes the viewer's, with the reason of an error", async () => {
  const { stream } = flood();
  const viewer = new WebSocket(`ws+unix:${await serve(stream)}:/machines/1/vnc`);
  viewer.once("message", () => stream.destroy(new Error("QEMU closed the connection")));
  const [code, reason] = await new Promise<[number, string]>((resolve) =>
    viewer.on("close", (code, reason) => resolve([code, reason.toString()])),
  );
  expect([code, reason]).toEqual([1011, "QEMU closed the connection"]);
});
