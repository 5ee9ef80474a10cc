import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskReport } from "../../domain/task";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import type { Failpoint, snapshotFailpoints } from "../../failpoints";
import { projectDir } from "../../paths";
import { startTimeOf } from "../../system/platform";
import { diskFile } from "../diskRecord";
import type { Hypervisor } from "../hypervisor";
import { machinePaths } from "../machinePaths";
import { type CrashingSnapshotAgent, perform, type SnapshotAct } from "../testing/crashingSnapshotAgent";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let agent: Hypervisor;

beforeEach(async () => {
  host = await TestHost.make();
  agent = await host.agent();
});
afterEach(async () => {
  await host.close();
});

const report: TaskReport = { progress: () => {}, log: () => {} };
const { signal } = new AbortController();
const offset = 40 * MIB;

/** What each snapshot's disk holds at one place, and the VM's own. */
const patterns: Record<number, string> = { 1: "0x11", 2: "0x22", 3: "0x33" };
const present = "0x44";

/** A VM with three snapshots of its disk; each holds something else. */
async function makeVm(): Promise<void> {
  await agent.ensure(await host.spec(1));
  for (const [id, pattern] of Object.entries(patterns)) {
    await write(pattern);
    await agent.takeSnapshot(
      1,
      { snapshotId: Number(id), operationId: 1, memory: false, freeze: false },
      report,
      signal,
    );
  }
  await write(present);
}

async function write(pattern: string): Promise<void> {
  const disk = await diskFile(machinePaths(host.settings, 1));
  await execa("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} ${offset} 128k`, disk]);
}

async function start(): Promise<void> {
  await agent.start(1);
  await untilSeen(agent, 1, (seen) => seen.milestones["first-boot"] !== undefined);
}

/** Which of the patterns a VM or a snapshot holds. */
async function patternOf(source: { vmId: number } | { snapshotId: number }): Promise<string> {
  const target = join(pathsOf(host.settings).staging, "read.qcow2");
  await agent.exportDisk(source, target, report, signal);
  try {
    for (const pattern of [...Object.values(patterns), present]) {
      const read = ["-r", "-f", "qcow2", "-c", `read -P ${pattern} ${offset} 128k`, target];
      const { failed } = await execa("qemu-io", read, { reject: false });
      if (!failed) return pattern;
    }
    return "none";
  } finally {
    rmSync(target);
  }
}

async function untilEchoes(id: number): Promise<void> {
  const shown: string[] = [];
  const stream = await agent.openSerial(id);
  stream.on("data", (chunk: Buffer) => shown.push(chunk.toString()));
  stream.write("hi");
  await until(() => shown.join("").includes("hi"));
  stream.destroy();
}

/** All snapshots are whole, and hold what they held. */
async function expectWholeSnapshots(): Promise<void> {
  for (const { id, hasMemory } of await agent.listSnapshots()) {
    if (patterns[id]) expect(await patternOf({ snapshotId: id }), `snapshot ${id}`).toBe(patterns[id]);
    const files = readdirSync(join(pathsOf(host.settings).snapshots, String(id)));
    expect(files.includes("memory.state")).toBe(hasMemory);
  }
  // Layers that nothing names may go meanwhile.
  const { layers } = pathsOf(host.settings);
  for (const name of readdirSync(layers).filter((name) => /^[0-9a-f]{16}\.qcow2$/.test(name))) {
    const check = ["check", "-q", "--force-share", "-f", "qcow2", join(layers, name)];
    const { failed, stderr } = await execa("qemu-img", check, { reject: false });
    if (failed && readdirSync(layers).includes(name)) expect.fail(stderr);
  }
}

/** Without VMs and snapshots there is nothing left on the disk, and nothing runs. */
async function expectNothingLeft(): Promise<void> {
  const paths = pathsOf(host.settings);
  for (const { id } of await agent.observeAll()) await agent.remove(id);
  for (const { id } of await agent.listSnapshots()) await agent.removeSnapshot(id);
  await until(() => readdirSync(paths.layers).length === 0);
  for (const folder of [paths.snapshots, paths.machines, paths.machineSockets, paths.staging]) {
    expect(readdirSync(folder)).toEqual([]);
  }
  expect(readdirSync(host.settings.runDir)).toEqual(["vms"]);
  expect(await host.qemuPids()).toEqual([]);
}

interface Case {
  act: SnapshotAct;
  /** Whether VM 1 runs when the act begins. */
  isRunning: boolean;
}

const takes: Case[] = [
  { act: "take", isRunning: false },
  { act: "take", isRunning: true },
  { act: "take-memory", isRunning: true },
];
const liveTakes = takes.filter(({ isRunning }) => isRunning);
const restores: Case[] = [
  { act: "restore", isRunning: false },
  { act: "restore", isRunning: true },
  { act: "restore-memory", isRunning: true },
];
const merges: Case[] = [
  { act: "remove-middle", isRunning: true },
  { act: "remove-newest", isRunning: true },
  { act: "remove-newest", isRunning: false },
];

/** In which acts the code comes to each place. A new place is a type error until it stands here, and then it is tested. */
const casesOf: Record<(typeof snapshotFailpoints)[number], Case[]> = {
  "agent.snapshot.overlay-made": takes,
  "agent.snapshot.cut-written": takes,
  "agent.snapshot.held": liveTakes,
  "agent.snapshot.switched": liveTakes,
  "agent.snapshot.resumed": liveTakes,
  "agent.snapshot.layer-written": takes,
  "agent.snapshot.layer-moved": takes,
  "agent.snapshot.before-complete": takes,
  "agent.snapshot.complete": takes,
  "agent.restore.disk-made": restores,
  "agent.restore.stopped": restores,
  "agent.restore.switched": restores,
  "agent.restore.started": restores,
  "agent.snapshot-remove.renamed": merges,
  "agent.merge.written": merges,
  "agent.merge.replaced": merges.filter(({ act, isRunning }) => act === "remove-middle" || !isRunning),
  "agent.merge.unlinked": merges.filter(({ isRunning }) => isRunning),
};

const allCases = Object.entries(casesOf).flatMap(([failpoint, cases]) =>
  cases.map(({ act, isRunning }) => [failpoint as Failpoint, act, isRunning ? "runs" : "is off"] as const),
);

describe("an agent killed on its way", () => {
  test.each(allCases)("at %s of %s, while the VM %s: the next one goes on", async (failpoint, act, state) => {
    await makeVm();
    if (state === "runs") await start();
    if (act === "restore-memory") {
      await agent.takeSnapshot(1, { snapshotId: 4, operationId: 1, memory: true, freeze: false }, report, signal);
    }
    await crash(failpoint, act);
    agent = await host.agent();
    await perform(agent, act, await host.spec(2));
    await expectWholeSnapshots();
    const ids = (await agent.listSnapshots()).map(({ id }) => id);
    if (act.startsWith("take")) expect(ids).toContain(9);
    if (act === "remove-middle") expect(ids).toEqual([1, 3]);
    if (act === "remove-newest") expect(ids).toEqual([1, 2]);
    await untilSeen(agent, 1, (seen) => seen.state === (state === "runs" ? "running" : "stopped"));
    await agent.start(1);
    await untilEchoes(1);
    await agent.stop(1);
    expect(await patternOf({ vmId: 1 })).toBe(act === "restore" ? patterns[2] : present);
    expect((await readFile("/proc/sys/vm/unprivileged_userfaultfd", "utf8")).trim()).toBe("0");
    await expectNothingLeft();
  });

  async function crash(failpoint: Failpoint, act: SnapshotAct): Promise<void> {
    const spec = await host.spec(2, { disk: { imageSha256: host.imageSha256, sizeBytes: 64 * MIB, snapshotId: 2 } });
    await agent.close();
    const script = join(projectDir, "lib", "hypervisor", "testing", "crashingSnapshotAgent.ts");
    const ask: CrashingSnapshotAgent = { settings: host.settings, act, failpoint, spec };
    const armed = join(host.settings.dataDir, "failpoint");
    const result = await execa(process.execPath, ["--import", "tsx", script, JSON.stringify(ask)], {
      cwd: projectDir,
      env: { CUMULUS_FAILPOINT_FILE: armed },
      reject: false,
      timeout: 60_000,
    });
    expect(result.signal, result.stderr).toBe("SIGKILL");
    expect(readdirSync(host.settings.dataDir)).not.toContain("failpoint");
  }
});

const ensureFailpoints: Failpoint[] = ["agent.ensure.folder-made", "agent.ensure.disk-made", "agent.ensure.seed-made"];

describe("a clone", () => {
  test.each(ensureFailpoints)("killed at %s is absent, and made when asked again", async (failpoint) => {
    await makeVm();
    const spec = await host.spec(2, { disk: { imageSha256: host.imageSha256, sizeBytes: 64 * MIB, snapshotId: 2 } });
    await agent.close();
    const script = join(projectDir, "lib", "hypervisor", "testing", "crashingSnapshotAgent.ts");
    const ask: CrashingSnapshotAgent = { settings: host.settings, act: "clone", failpoint, spec };
    const result = await execa(process.execPath, ["--import", "tsx", script, JSON.stringify(ask)], {
      cwd: projectDir,
      env: { CUMULUS_FAILPOINT_FILE: join(host.settings.dataDir, "failpoint") },
      reject: false,
      timeout: 60_000,
    });
    expect(result.signal, result.stderr).toBe("SIGKILL");
    agent = await host.agent();
    expect((await agent.observe(2)).state).toBe("absent");
    await agent.ensure(spec);
    await agent.removeSnapshot(2);
    expect(await patternOf({ vmId: 2 })).toBe(patterns[2]);
    await agent.start(2);
    await untilEchoes(2);
    await expectWholeSnapshots();
    await expectNothingLeft();
  });
});

describe("faults while a snapshot is taken", () => {
  test("QEMU killed while its memory is written: no snapshot, and the VM starts with its disk", async () => {
    await makeVm();
    await start();
    const { pid } = await agent.observe(1);
    const killing: TaskReport = {
      log: () => {},
      progress: (_, message) => {
        if (message.startsWith("Holding")) process.kill(pid ?? 0, "SIGSTOP");
      },
    };
    const taken = agent.takeSnapshot(
      1,
      { snapshotId: 9, operationId: 9, memory: true, freeze: false },
      killing,
      signal,
    );
    taken.catch(() => undefined);
    await until(async () => (await readFile(`/proc/${pid}/stat`, "utf8")).includes(") T "));
    process.kill(pid ?? 0, "SIGKILL");
    await expect(taken).rejects.toThrow();
    await until(async () => (await startTimeOf(pid ?? 0)) === null);
    expect((await agent.listSnapshots()).map(({ id }) => id)).toEqual([1, 2, 3]);
    await untilSeen(agent, 1, (seen) => seen.state === "crashed");
    await start();
    await untilEchoes(1);
    await agent.stop(1);
    expect(await patternOf({ vmId: 1 })).toBe(present);
    await expectWholeSnapshots();
    await expectNothingLeft();
  });

  test("a host's disk that fills up is said so, the guest goes on, and nothing is lost", async () => {
    await agent.close();
    const { dataDir } = host.settings;
    const folder = pathsOf(host.settings).snapshots;
    await execa("mount", ["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", folder]);
    try {
      agent = await host.agent();
      await makeVm();
      await start();
      const ballast = join(folder, "ballast");
      const filling: TaskReport = {
        log: () => {},
        progress: (_, message) => {
          if (!message.startsWith("Holding")) return;
          const { bavail, bsize } = statfsSync(folder);
          writeFileSync(ballast, Buffer.alloc(bavail * bsize));
        },
      };
      const ask = { snapshotId: 9, operationId: 9, memory: true, freeze: false };
      await expect(agent.takeSnapshot(1, ask, filling, signal)).rejects.toMatchObject({
        code: "insufficient_capacity",
      });
      rmSync(ballast);
      await untilEchoes(1);
      expect(await agent.observe(1)).toMatchObject({ state: "running" });
      await expectWholeSnapshots();
      expect(await agent.takeSnapshot(1, ask, report, signal)).toMatchObject({ consistency: "memory" });
      await expectNothingLeft();
    } finally {
      await agent.close();
      await execa("umount", ["--lazy", folder]);
      expect(readdirSync(dataDir)).not.toContain("ballast");
    }
  });
});
