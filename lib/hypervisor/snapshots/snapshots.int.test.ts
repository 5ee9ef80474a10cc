import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import type { SnapshotManifest } from "../../domain/snapshotManifest";
import type { TaskReport } from "../../domain/task";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import type { Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { MiniGuests } from "../testing/miniGuests";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let guests: MiniGuests;
let agent: Hypervisor;
let spec: MachineSpec;
let operationId = 0;

/** Guests boot, copy and are merged in most of these, on a computer that may be busy. */
const slow = { timeout: 600_000 };

const said: string[] = [];
const report: TaskReport = { progress: () => {}, log: (line) => said.push(line) };
const { signal } = new AbortController();

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
  agent = await host.agent();
  spec = await guests.spec(1);
  await guests.start(agent, spec);
});
afterAll(async () => {
  await host.close();
  await guests?.close();
});

const run = (command: string) => guests.run(spec, command);

function take(snapshotId: number, options: { memory?: boolean; freeze?: boolean } = {}): Promise<SnapshotManifest> {
  const { memory = false, freeze = true } = options;
  return agent.takeSnapshot(1, { snapshotId, operationId: ++operationId, memory, freeze }, report, signal);
}

function restore(snapshotId: number) {
  return agent.restoreSnapshot(1, { snapshotId, operationId: ++operationId }, report, signal);
}

/** Whether the guest's agent has answered is not on the timeline: the freeze says it. */
async function takeFrozen(snapshotId: number): Promise<SnapshotManifest> {
  return until(async () => {
    const manifest = await take(snapshotId);
    if (manifest.consistency === "filesystem") return manifest;
    await agent.removeSnapshot(snapshotId);
    return null;
  }, 60_000);
}

async function layerFiles(): Promise<string[]> {
  return (await readdir(pathsOf(host.settings).layers)).filter((name) => name.endsWith(".qcow2"));
}

/** Everything that is on the disk under layers and VMs is sound. */
async function expectSoundDisks(): Promise<void> {
  const { layers, machines } = pathsOf(host.settings);
  for (const name of await layerFiles()) {
    expect(name).toMatch(/^[0-9a-f]{16}\.qcow2$/);
    await execa("qemu-img", ["check", "-q", "--force-share", "-f", "qcow2", join(layers, name)]);
  }
  for (const id of await readdir(machines)) {
    const disks = (await readdir(join(machines, id))).filter((name) => /^disk.*qcow2$/.test(name));
    expect(disks).toHaveLength(1);
  }
}

test("a snapshot of a running VM with its file systems frozen, and back to it", slow, async () => {
  await run("echo before > /root/file; sync");
  const manifest = await takeFrozen(1);
  expect(manifest).toMatchObject({ id: 1, vmId: 1, hasMemory: false, memoryBytes: 0, parentId: null });
  expect(manifest.pauseMs).toBeGreaterThan(0);
  expect(await take(1)).toEqual(manifest);
  await run("echo after > /root/file; sync");

  const seen = await restore(1);
  expect(seen.state).toBe("running");
  await until(async () => (await agent.observe(1)).milestones.ssh !== undefined, 180_000);
  expect(await run("cat /root/file")).toBe("before");
  await expectSoundDisks();
});

test(
  "a snapshot with memory: a file, what is in memory and a process are back, and the clock is right",
  slow,
  async () => {
    await run("echo one > /root/file; echo one > /dev/shm/value; sync; echo one > /root/notSynced");
    await run(
      "(while :; do echo tick >> /dev/shm/ticks; sleep 0.2; done) >/dev/null 2>&1 </dev/null & echo $! > /dev/shm/pid",
    );
    // The kernel makes it when it is first read.
    const bootId = await run("cat /proc/sys/kernel/random/boot_id");
    const manifest = await take(2, { memory: true });
    expect(manifest).toMatchObject({ hasMemory: true, consistency: "memory", parentId: 1 });
    expect(manifest.memoryBytes).toBeGreaterThan(10 * MIB);
    expect(manifest.pauseMs).toBeGreaterThan(0);
    await until(async () => (await readFile("/proc/sys/vm/unprivileged_userfaultfd", "utf8")) === "0\n");
    await run("echo two > /root/file; echo two > /dev/shm/value; sync; kill $(cat /dev/shm/pid)");

    await restore(2);
    await untilSeen(agent, 1, ({ state }) => state === "running");
    expect(await run("cat /root/file /dev/shm/value /proc/sys/kernel/random/boot_id")).toBe(`one\none\n${bootId}`);
    const ticks = Number(await run("wc -l < /dev/shm/ticks"));
    await until(async () => Number(await run("wc -l < /dev/shm/ticks")) > ticks);
    expect(Math.abs(Number(await run("date +%s")) - Date.now() / 1000)).toBeLessThan(10);
    expect(said).toEqual([]);
  },
);

test("the middle one of three goes: what is in the others stays, and its space comes back", slow, async () => {
  await run("dd if=/dev/urandom of=/root/big bs=1M count=20 2>/dev/null; sync; md5sum < /root/big > /root/sum");
  await run("sync");
  await take(3);
  await run(
    "rm /root/big; dd if=/dev/urandom of=/root/big bs=1M count=20 2>/dev/null; sync; md5sum < /root/big > /root/sum; sync",
  );
  await take(4);
  await run("echo last > /root/file; sync");
  const before = await agent.listSnapshots();
  expect(before.map(({ id, parentId }) => [id, parentId])).toEqual([
    [1, null],
    [2, 1],
    [3, 2],
    [4, 3],
  ]);
  const layersBefore = (await layerFiles()).length;

  await agent.removeSnapshot(3);
  await agent.removeSnapshot(3);
  await until(async () => (await layerFiles()).length === layersBefore - 1, 60_000);
  expect((await agent.listSnapshots()).map(({ id }) => id)).toEqual([1, 2, 4]);
  expect(await run("md5sum < /root/big | diff - /root/sum && cat /root/file")).toBe("last");
  const messages = host.messages.filter(({ level }) => level === "warn" || level === "error");
  expect(messages).toEqual([]);
  await expectSoundDisks();

  // The guest writes on; then it is put back to the one above the one that went.
  await restore(4);
  await until(async () => (await agent.observe(1)).milestones.ssh !== undefined, 180_000);
  expect(await run("md5sum < /root/big | diff - /root/sum && cat /root/file")).toBe("one");
});

test("the newest one goes: the running guest's own QEMU takes its data in", slow, async () => {
  await run("dd if=/dev/urandom of=/root/big bs=1M count=20 2>/dev/null; sync; md5sum < /root/big > /root/sum; sync");
  await take(5);
  await run("echo newest > /root/file; sync");
  const layersBefore = (await layerFiles()).length;
  await agent.removeSnapshot(5);
  await until(async () => (await layerFiles()).length === layersBefore - 1, 60_000);
  expect(await run("md5sum < /root/big | diff - /root/sum && cat /root/file")).toBe("newest");
  await expectSoundDisks();
});

test(
  "a new VM from a snapshot with memory has its disk, with what the guest had yet to write, and an identity of its own",
  slow,
  async () => {
    const other = await guests.spec(2, {}, 2);
    await guests.start(agent, other);
    const identity =
      "cat /etc/machine-id; hostname; cat /sys/class/net/eth0/address; ip -4 -o addr show eth0; md5sum < /etc/dropbear/dropbear_ed25519_host_key";
    const [own = "", theirs = ""] = [await run(identity), await guests.run(other, identity)];
    own.split("\n").forEach((line, index) => {
      expect(theirs.split("\n")[index]).not.toBe(line);
    });
    expect(theirs).toContain("vm-2");
    expect(await guests.run(other, "cat /root/file /root/notSynced")).toBe("one\none");
    await expectSoundDisks();
  },
);

test(
  "layers are folded under a guest that writes while one snapshot after the other is taken, and it reads what it wrote",
  slow,
  async () => {
    const first = 100;
    for (let id = first; id < first + 20; id++) {
      await run(
        `dd if=/dev/urandom of=/root/part${id} bs=64k count=4 2>/dev/null; cd /root; md5sum part${id} >>parts; sync`,
      );
      await take(id, { freeze: false });
    }
    const isFolded = async () => (await agent.listSnapshots()).filter(({ foldedBytes }) => foldedBytes > 0).length >= 2;
    await until(isFolded, 60_000);
    expect(await run("sync; echo 3 >/proc/sys/vm/drop_caches; cd /root && md5sum -c parts | grep -vc OK || true")).toBe(
      "0",
    );
    for (let id = first; id < first + 20; id++) await agent.removeSnapshot(id);
    await run("rm /root/part*; sync");
    expect(host.messages.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  },
);

test("a VM that is off: taken, deleted, put back; and its disk in one file", slow, async () => {
  await run("echo off > /root/file; sync");
  await agent.shutdown(1);
  await until(async () => (await agent.observe(1)).state === "stopped", 60_000);
  expect(await take(6, { memory: false })).toMatchObject({ consistency: "filesystem", pauseMs: 0 });
  await expect(take(7, { memory: true })).rejects.toMatchObject({ code: "wrong_state" });
  expect(await agent.snapshotCost(1)).toMatchObject({ memoryBytes: 0 });
  const target = join(pathsOf(host.settings).staging, "export.qcow2");
  await agent.exportDisk({ snapshotId: 6 }, { disk: target }, report, signal);
  await execa("qemu-img", ["check", "-q", "-f", "qcow2", target]);
  const { stdout } = await execa("qemu-img", ["info", "-f", "qcow2", "--output=json", target]);
  expect(JSON.parse(stdout)["backing-filename"]).toBeUndefined();
  expect((await stat(target)).mode & 0o777).toBe(0o600);
  expect(await restore(6)).toMatchObject({ state: "stopped" });

  await agent.removeSnapshot(6);
  for (const { id } of await agent.listSnapshots()) await agent.removeSnapshot(id);
  await until(async () => (await layerFiles()).length <= 1, 60_000);
  await agent.start(1);
  await until(async () => (await agent.observe(1)).milestones.ssh !== undefined, 180_000);
  expect(await run("cat /root/file")).toBe("off");
  await agent.remove(2);
  await until(async () => (await layerFiles()).length === 0, 60_000);
  const { folder, diskRecord } = machinePaths(host.settings, 1);
  expect(JSON.parse(await readFile(diskRecord, "utf8"))).toMatchObject({ parent: null });
  expect((await readdir(folder)).filter((name) => name.startsWith("disk-"))).toHaveLength(1);
  expect(await readdir(pathsOf(host.settings).snapshots)).toEqual([]);
});
