import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import { GuestAgent } from "../guest/guestAgent";
import type { Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { crashAt } from "../testing/crashAt";
import { MiniGuests } from "../testing/miniGuests";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let guests: MiniGuests;
let agent: Hypervisor;
let spec: MachineSpec;

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
  agent = await host.agent();
  spec = await guests.spec(1);
  await guests.start(agent, spec);
});
afterAll(async () => {
  await host?.close();
  await guests?.close();
});

test.each(["take", "take-memory"] as const)(
  "a guest whose file systems an agent had frozen for a %s when it was killed can write when the next one is there, though nobody asks for the snapshot again",
  { timeout: 300_000 },
  async (act) => {
    const { pid } = await agent.observe(1);
    await agent.close();
    await crashFrozen(act);

    agent = await host.agent();
    await untilSeen(agent, 1, ({ state }) => state === "running");
    expect(await guests.run(spec, `echo ${act} > /root/file && sync && cat /root/file`)).toBe(act);
    await untilSeen(agent, 1, (seen) => seen.state === "running" && seen.pid === pid);
    expect(await agent.listSnapshots()).toEqual([]);
  },
);

test("a guest that was left frozen is thawed, also when the next agent ended before the guest answered it", {
  timeout: 300_000,
}, async () => {
  await agent.close();
  await crashFrozen("take");
  const paths = machinePaths(host.settings, 1);
  // Who has the channel keeps others from it.
  const channel = createConnection(paths.guestAgent);
  await once(channel, "connect");
  agent = await host.agent();
  await until(async () => !JSON.parse(await readFile(paths.state, "utf8")).isHeld);
  await agent.close();
  channel.destroy();
  await until(isFrozen);

  agent = await host.agent();
  expect(await guests.run(spec, "echo again > /root/file && sync && cat /root/file")).toBe("again");
  await until(async () => !JSON.parse(await readFile(paths.state, "utf8")).mayBeFrozen);
});

/** Has an agent be killed with the guest's file systems frozen. A guest that is too busy to freeze them in time doesn't, which takes another agent. */
async function crashFrozen(act: "take" | "take-memory"): Promise<void> {
  const { settings } = host;
  await until(async () => {
    await crashAt({ settings, act, failpoint: "agent.snapshot.frozen", spec, hasGuestAgent: true });
    return until(isFrozen, 20_000).catch(() => false);
  }, 180_000);
}

/** As the guest's own agent has it, while none is on the host. */
async function isFrozen(): Promise<boolean> {
  const channel = new GuestAgent(machinePaths(host.settings, 1).guestAgent, () => {});
  try {
    await until(() => channel.isAlive);
    // One that is silent for now is asked again.
    return (await channel.ask("guest-fsfreeze-status", {}).catch(() => null)) === "frozen";
  } finally {
    channel.close();
  }
}
