import { createConnection } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyFirstBootReport } from "../domain/firstBootReport";
import { sshHostPortOf } from "../domain/machine";
import { MIB } from "../domain/units";
import { pathsOf } from "../env";
import { buildMini } from "../images/mini/build";
import { installImage } from "../images/store";
import { hostArch } from "./hostReport";
import { TestHost, untilSeen } from "./testing/testHost";

let host: TestHost;

beforeAll(async () => {
  host = await TestHost.make();
});
afterAll(async () => {
  await host.close();
});

test("a real guest reaches each step, answers by SSH, reboots by its agent and turns off at the power button", async () => {
  const workDir = join(host.settings.dataDir, "staging", "mini");
  const mini = await buildMini({ workDir, arch: hostArch(), log: () => {} });
  const image = await installImage(pathsOf(host.settings), mini.path, {
    name: "mini",
    title: "Mini",
    description: "",
    arch: hostArch(),
    firmware: "bios",
    minMemoryBytes: 128 * MIB,
    loginUser: mini.loginUser,
    recipeHash: mini.recipeHash,
  });
  const agent = await host.agent();
  const spec = await host.spec(1, {
    memoryBytes: 256 * MIB,
    disk: { imageSha256: image.sha256, sizeBytes: 1024 * MIB },
  });
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
  expect(await agent.observe(1)).toMatchObject({ pid: booted.pid, state: "running" });

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
