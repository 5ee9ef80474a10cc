import { createConnection } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyFirstBootReport } from "../domain/firstBootReport";
import { sshHostPortOf } from "../domain/machine";
import { MiniGuests } from "./testing/miniGuests";
import { TestHost, untilSeen } from "./testing/testHost";

let host: TestHost;
let guests: MiniGuests;

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
});
afterAll(async () => {
  await host.close();
  await guests.close();
});

test("a real guest reaches each step, answers by SSH, reboots by its agent and turns off at the power button", async () => {
  const agent = await host.agent();
  const spec = await guests.spec(1);
  const [link] = spec.interfaces;
  const ethernet = { match: { macaddress: link?.mac }, "set-name": "eth0", dhcp4: true };
  await agent.ensure({ ...spec, seed: { ...spec.seed, networkConfig: { version: 2, ethernets: { eth0: ethernet } } } });
  await agent.start(1);

  const booted = await untilSeen(agent, 1, (seen) => seen.milestones.ssh !== undefined, 90_000);
  expect(Object.keys(booted.milestones)).toEqual(
    expect.arrayContaining(["disk", "started", "kernel", "network", "ssh"]),
  );
  const banner = await new Promise((resolve) => {
    const socket = createConnection(sshHostPortOf(spec) ?? 0, "127.0.0.1");
    socket.once("data", (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
  });
  expect(banner).toMatch(/^SSH-2\.0-/);
  expect(booted.firstBoot).toEqual(emptyFirstBootReport);

  await agent.reboot(1, 1, 60_000);
  await untilSeen(agent, 1, (seen) => seen.bootCount === 2 && seen.milestones.ssh !== undefined, 90_000);
  await untilSeen(agent, 1, (seen) => seen.state === "running" && seen.pid === booted.pid);

  await agent.shutdown(1);
  await untilSeen(agent, 1, (seen) => seen.state === "stopped" && seen.stoppedBy === "request", 60_000);
  const { stdout } = await execa("qemu-img", [
    "check",
    "-q",
    "-f",
    "qcow2",
    join(host.settings.dataDir, "vms/1/disk.qcow2"),
  ]);
  expect(stdout).toBe("");
}, 300_000);
