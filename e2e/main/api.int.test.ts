import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { createSshClient, type SshClient } from "../sshClient";
import { type Stack, startStack, until } from "../stack";

let stack: Stack;
let ssh: SshClient;
let rsa: SshClient;
beforeAll(async () => {
  [stack, ssh, rsa] = await Promise.all([startStack(), createSshClient(), createSshClient("rsa")]);
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([ssh, rsa].map((client) => client?.remove()));
});

const vmIs = async (id: number, wanted: Partial<Vm>, deadlineMs = 60_000) => {
  let vm: Vm | undefined;
  await until(
    `VM ${id} is ${JSON.stringify(wanted)}`,
    async () => {
      vm = (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
      return Object.entries(wanted).every(([key, value]) => vm?.[key as keyof Vm] === value);
    },
    deadlineMs,
  );
  return vm as Vm;
};

const act = async (id: number, action: string) => {
  const { status, body } = await stack.api<Operation>("POST", `/api/vms/${id}/${action}`, {});
  expect(status).toBe(202);
  return body;
};

test("the main job by the API: create, ssh in with one's key of either kind, reboot, stop, start, shut down, destroy", async () => {
  const created = await stack.api<Vm>("POST", "/api/vms?wait=ready", {
    name: "first",
    image: "mini",
    size: "nano",
    sshKeys: [ssh.publicKey, rsa.publicKey],
    files: [{ path: "/etc/greeting", content: "hello from the seed\n" }],
    userData: "#cloud-config\nruncmd:\n  - echo ran > /root/ran\n",
  });
  expect(created).toMatchObject({ status: 201, body: { status: "running", isReady: true } });
  const vm = created.body;
  // SSH may answer while the first boot still runs its commands.
  const timeline = async () => {
    const { body } = await stack.api<Vm>("GET", `/api/vms/${vm.id}`);
    return body.timeline.map(({ step, state }) => `${step} ${state}`);
  };
  await expect
    .poll(timeline, { timeout: 30_000 })
    .toEqual([
      "accepted done",
      "image done",
      "disk done",
      "started done",
      "kernel done",
      "network done",
      "first-boot done",
      "ssh done",
    ]);
  const inGuest = (command: string) => ssh.run(vm.ssh.command, command);
  expect(await inGuest("hostname")).toBe("first");
  expect(rsa.publicKey).toMatch(/^ssh-rsa /);
  expect(await rsa.run(vm.ssh.command, "hostname")).toBe("first");
  expect(await inGuest("cat /etc/greeting /root/ran")).toBe("hello from the seed\nran");
  const rootKib = Number((await inGuest("df -k /")).split("\n").at(-1)?.split(/\s+/)[1]);
  expect(rootKib).toBeGreaterThan(1.7 * 1024 ** 2);

  const bootId = await inGuest("cat /proc/sys/kernel/random/boot_id; echo kept > /root/kept; sync");
  await act(vm.id, "reboot");
  await until(
    "the guest booted anew",
    async () => {
      const now = await inGuest("cat /proc/sys/kernel/random/boot_id").catch(() => bootId);
      return now !== bootId;
    },
    60_000,
  );
  await vmIs(vm.id, { status: "running", isReady: true });

  await act(vm.id, "stop");
  await vmIs(vm.id, { status: "stopped" });
  await act(vm.id, "start");
  await vmIs(vm.id, { status: "running", isReady: true });
  expect(await inGuest("cat /root/kept")).toBe("kept");

  await act(vm.id, "shutdown");
  await vmIs(vm.id, { status: "stopped", desired: "stopped" });
  expect((await stack.api("DELETE", `/api/vms/${vm.id}`)).status).toBe(202);
  await until("the VM is gone", async () => (await stack.api("GET", `/api/vms/${vm.id}`)).status === 404);
  expect(readdirSync(pathsOf(stack.settings).machines)).toEqual([]);
}, 240_000);

test("a guest that powers itself off stays off, and says who did it", async () => {
  const { body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", {
    name: "own-will",
    image: "mini",
    size: "nano",
    sshKeys: [ssh.publicKey],
  });
  await ssh.run(vm.ssh.command, "poweroff").catch(() => "the connection ends with the guest");
  await vmIs(vm.id, { status: "stopped", desired: "stopped" });
  const { body } = await stack.api<{ items: Operation[] }>("GET", `/api/operations?vm=${vm.id}`);
  expect(body.items.map(({ kind }) => kind)).toContain("guest-shutdown");
}, 120_000);
