import { type IncomingMessage, request } from "node:http";
import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Observation } from "../domain/machine";
import { fakeSpec } from "../hypervisor/fakeHost";
import type { AgentClient } from "./client";
import { createAgentClient } from "./client";
import { startTestAgent, testHypervisor, testSocketPath } from "./testAgent";

/** What a watch tells until the test ends. */
function record(client: AgentClient) {
  const seen: Observation[] = [];
  const states: string[] = [];
  const reasons: string[] = [];
  const stop = client.watch(
    (observation) => seen.push(observation),
    (state, reason) => {
      states.push(state);
      if (reason) reasons.push(reason.message);
    },
  );
  onTestFinished(stop);
  return { seen, states, reasons, stop };
}

test("a watch tells of all present VMs first, then of every change", async () => {
  const hypervisor = testHypervisor();
  await hypervisor.ensure(fakeSpec(1));
  await hypervisor.ensure(fakeSpec(2));
  const { client } = await startTestAgent(hypervisor);
  const { seen, states } = record(client);
  await expect.poll(() => seen.map(({ id }) => id)).toEqual([1, 2]);
  expect(states).toEqual(["connected"]);
  await hypervisor.start(2);
  await expect.poll(() => seen.at(-1)?.milestones.ssh).toBeDefined();
  await hypervisor.remove(2);
  await expect.poll(() => seen.at(-1)).toMatchObject({ id: 2, state: "absent" });
  const steps = seen.slice(2).map(({ state, milestones }) => `${state} ${Object.keys(milestones).length}`);
  expect(steps).toEqual(["running 2", "running 3", "running 4", "running 5", "running 6", "absent 0"]);
});

test("a change during the first look is neither lost nor undone by it", async () => {
  const hypervisor = testHypervisor();
  await hypervisor.ensure(fakeSpec(1));
  const changing = {
    ...hypervisor,
    async observeAll() {
      const before = await hypervisor.observeAll();
      await new Promise((resolve) => setTimeout(resolve, 5));
      hypervisor.crash(1);
      return before;
    },
  };
  const { client } = await startTestAgent(changing);
  const { seen } = record(client);
  await expect.poll(() => seen).toEqual([expect.objectContaining({ state: "crashed" })]);
});

test("a watch comes back by itself when the agent does, and says so once", async () => {
  const hypervisor = testHypervisor();
  const first = await startTestAgent(hypervisor);
  const client = createAgentClient({ socketPath: first.socketPath, retryMs: { first: 5, last: 20 } });
  const { seen, states, reasons } = record(client);
  await expect.poll(() => states).toEqual(["connected"]);
  await first.close();
  await expect.poll(() => states).toEqual(["connected", "disconnected"]);
  await hypervisor.ensure(fakeSpec(1));
  await startTestAgent(hypervisor, { socketPath: first.socketPath });
  await expect.poll(() => states).toEqual(["connected", "disconnected", "connected"]);
  await expect.poll(() => seen.at(-1)).toMatchObject({ id: 1, state: "stopped" });
  expect(reasons).toEqual([expect.stringContaining("The agent of this host doesn't answer")]);
});

test("an agent that was never there is told as disconnected, once", async () => {
  const client = createAgentClient({ socketPath: testSocketPath(), retryMs: { first: 1, last: 1 } });
  const { states, reasons } = record(client);
  await expect.poll(() => states).toEqual(["disconnected"]);
  expect(reasons[0]).toContain("its socket is not there");
});

test("a watch that stays silent is dead: it is given up and tried again", async () => {
  const socketPath = testSocketPath();
  let connectionCount = 0;
  const mute: Server = createServer((socket) => {
    connectionCount += 1;
    socket.on("error", () => {}).write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    onTestFinished(() => void socket.destroy());
  }).listen(socketPath);
  onTestFinished(() => void mute.close());
  const { states, reasons } = record(createAgentClient({ socketPath, silenceMs: 500, retryMs: { first: 1, last: 1 } }));
  await expect.poll(() => connectionCount).toBeGreaterThan(2);
  expect(states.slice(0, 3)).toEqual(["connected", "disconnected", "connected"]);
  expect(reasons[0]).toContain("has said nothing for 0.5 s");
});

test("an agent without news says every 5 s that it lives", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { socketPath } = await startTestAgent(testHypervisor());
  let text = "";
  const sent = request({ socketPath, path: "/watch", agent: false }, (response) => {
    response
      .on("error", () => {})
      .on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
  });
  sent.on("error", () => {}).end();
  onTestFinished(() => void sent.destroy());
  await expect.poll(() => vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(15_000);
  await expect.poll(() => text).toBe("\n\n\n");
  sent.destroy();
  await expect.poll(() => vi.getTimerCount()).toBe(0);
});

test("a watcher that doesn't read is owed one observation a VM, the newest", async () => {
  const hypervisor = testHypervisor();
  await hypervisor.ensure(fakeSpec(1));
  const observation = await hypervisor.observe(1);
  let tell: (observation: Observation) => void = () => {};
  const chatty = {
    ...hypervisor,
    watch(listener: typeof tell) {
      tell = listener;
      return () => {};
    },
  };
  const { socketPath } = await startTestAgent(chatty);
  const sent = request({ socketPath, path: "/watch", agent: false });
  onTestFinished(() => void sent.destroy());
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on("response", resolve).on("error", reject).end();
  });
  response.on("error", () => {});

  const changeCount = 1_000;
  const reason = "x".repeat(64 * 1024);
  for (let bootCount = 1; bootCount <= changeCount; bootCount++) {
    tell({ ...observation, reason, bootCount });
    await new Promise((resolve) => setImmediate(resolve));
  }
  const told: number[] = [];
  createInterface({ input: response })
    .on("error", () => {})
    .on("line", (line) => line && told.push(JSON.parse(line).bootCount));
  await expect.poll(() => told.at(-1)).toBe(changeCount);
  // What the kernel and one write hold was sent before the reader was found not to read.
  expect(told.length).toBeLessThan(50);
});
