import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { MIB } from "../domain/units";
import { startTestAgent, testHypervisor } from "./testAgent";

/** A VM that sends without end as long as it is read, unless it is silent, and takes what is written when told to. */
function flood({ isSilent = false } = {}) {
  const counts = { sent: 0, received: 0 };
  const chunk = Buffer.alloc(64 * 1024, "x");
  let take: (() => void) | undefined;
  let isTaking = true;
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {
      if (isSilent) return;
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
async function open(socketPath: string): Promise<Socket> {
  const socket = connect(socketPath);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.write("GET /machines/1/vnc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: cumulus-bytes\r\n\r\n");
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
  const viewer = await open(await serve(stream));
  const atRest = await settled(() => counts.sent);
  expect(atRest).toBeLessThan(4 * MIB);
  expect(stream.isPaused()).toBe(true);
  let seen = 0;
  viewer.on("data", (data) => {
    seen += data.length;
  });
  await expect.poll(() => seen).toBeGreaterThan(16 * MIB);
});

test("a viewer that reads nothing for the whole stall time is dropped", async () => {
  const { stream } = flood();
  await open(await serve(stream, 100));
  await expect.poll(() => stream.destroyed).toBe(true);
});

test("a VM that takes nothing stops the reading of the viewer, and starts it again", async () => {
  const { stream, counts, setTaking } = flood();
  setTaking(false);
  const viewer = await open(await serve(stream));
  const total = 32 * MIB;
  viewer.write(Buffer.alloc(total));
  // The rest waits with the viewer: the agent holds what one read brought, and the kernel some.
  expect(await settled(() => viewer.bytesWritten - viewer.writableLength)).toBeLessThan(4 * MIB);
  expect(counts.received).toBeLessThan(MIB);
  setTaking(true);
  await expect.poll(() => counts.received).toBe(total);
});

test("a viewer whose VM takes nothing for the whole stall time is dropped", async () => {
  const { stream, setTaking } = flood({ isSilent: true });
  setTaking(false);
  const viewer = await open(await serve(stream, 100));
  viewer.write("typed");
  await new Promise((resolve) => viewer.resume().once("close", resolve));
  await expect.poll(() => stream.destroyed).toBe(true);
});

test("a VM that takes slowly but steadily is never given up", async () => {
  const { stream, counts, setTaking } = flood({ isSilent: true });
  setTaking(false);
  const viewer = await open(await serve(stream, 1_000));
  const total = 640 * 1024;
  viewer.write(Buffer.alloc(total));
  const slow = setInterval(() => {
    setTaking(true);
    setTaking(false);
  }, 200);
  onTestFinished(() => clearInterval(slow));
  await expect.poll(() => counts.received, { timeout: 20_000 }).toBe(total);
  expect(stream.destroyed).toBe(false);
}, 30_000);

test("a viewer of a VM that is quiet stays for longer than the stall time", async () => {
  const { stream } = flood({ isSilent: true });
  const viewer = await open(await serve(stream, 50));
  const stuck = flood();
  await open(await serve(stuck.stream, 50));
  await expect.poll(() => stuck.stream.destroyed).toBe(true);
  stream.push("still here");
  let seen = "";
  viewer.on("data", (data) => {
    seen += data.toString();
  });
  await expect.poll(() => seen).toMatch(/still here$/);
});

test("the last bytes before the VM's end arrive, then the viewer's connection ends", async () => {
  const { stream } = flood({ isSilent: true });
  const viewer = await open(await serve(stream));
  let seen = 0;
  viewer.on("data", (data) => {
    seen += data.length;
  });
  const closed = new Promise((resolve) => viewer.once("close", resolve));
  const head = viewer.bytesRead;
  stream.push(Buffer.alloc(8 * MIB));
  stream.push(null);
  await closed;
  expect(viewer.bytesRead - head).toBe(8 * MIB);
  expect(seen).toBeGreaterThanOrEqual(8 * MIB);
});

test("a VM's stream that breaks ends the viewer's connection", async () => {
  const { stream } = flood();
  const viewer = await open(await serve(stream));
  const closed = new Promise((resolve) => viewer.resume().once("close", resolve));
  stream.destroy(new Error("QEMU closed the connection"));
  await closed;
});
