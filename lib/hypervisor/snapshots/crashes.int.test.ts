import { readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TaskReport } from "../../domain/task";
import { pathsOf } from "../../env";
import type { Failpoint, snapshotFailpoints } from "../../failpoints";
import { startTimeOf } from "../../system/platform";
import { signal } from "../../system/testing/signal";
import { chosenCases } from "../../system/testing/slowTests";
import { crashAt } from "../testing/crashAt";
import { agentOptionsOf, perform, type SnapshotAct } from "../testing/crashingSnapshotAgent";
import { patterns, present, SnapshotBed } from "../testing/snapshotBed";
import { TestHost, untilSeen } from "../testing/testHost";
import { until } from "../testing/until";

let host: TestHost;
let bed: SnapshotBed;

beforeEach(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
});
afterEach(async () => {
  await host.close();
});

const report: TaskReport = { progress: () => {}, log: () => {} };
const { signal: unaborted } = new AbortController();

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
const takeCopied: Case = { act: "take-copied", isRunning: true };
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
const folds: Case[] = [
  { act: "fold", isRunning: true },
  { act: "fold", isRunning: false },
];

/** In which acts the code comes to each place. A new place is a type error until it stands here, and then it is tested. */
const casesOf: Record<(typeof snapshotFailpoints)[number], Case[]> = {
  "agent.snapshot.overlay-made": takes,
  "agent.snapshot.cut-written": takes,
  "agent.snapshot.frozen": liveTakes,
  "agent.snapshot.copying": [takeCopied],
  "agent.snapshot.held": [...liveTakes, takeCopied],
  "agent.snapshot.switched": [...liveTakes, takeCopied],
  "agent.snapshot.resumed": [...liveTakes, takeCopied],
  "agent.snapshot.layer-written": [...takes, takeCopied],
  "agent.snapshot.layer-moved": [...takes, takeCopied],
  "agent.snapshot.before-complete": [...takes, takeCopied],
  "agent.snapshot.complete": [...takes, takeCopied],
  "agent.restore.disk-made": restores,
  "agent.restore.stopped": restores,
  "agent.restore.switched": restores,
  "agent.restore.started": restores,
  "agent.snapshot-remove.renamed": merges,
  "agent.merge.written": [...merges, ...folds],
  "agent.merge.replaced": [...merges.filter(({ act, isRunning }) => act === "remove-middle" || !isRunning), ...folds],
  "agent.merge.unlinked": [...merges.filter(({ isRunning }) => isRunning), ...folds],
};

const cases = chosenCases(casesOf).map(
  ([failpoint, { act, isRunning }]) => [failpoint, act, isRunning ? "runs" : "is off"] as const,
);

describe("an agent killed on its way", () => {
  test.each(cases)("at %s of %s, while the VM %s: the next one goes on", async (failpoint, act, state) => {
    await bed.makeVm();
    if (state === "runs") await bed.start();
    if (act === "restore-memory") {
      await bed.take(4, true);
    }
    await crash(failpoint, act);
    bed.agent = await host.agent(agentOptionsOf(act));
    await perform(bed.agent, act, await host.spec(2));
    await bed.expectWholeSnapshots();
    const ids = (await bed.agent.listSnapshots()).map(({ id }) => id);
    if (act.startsWith("take")) expect(ids).toContain(9);
    if (act === "remove-middle") expect(ids).toEqual([1, 3]);
    if (act === "remove-newest") expect(ids).toEqual([1, 2]);
    if (act === "fold") {
      expect(ids).toEqual([1, 2, 3, 5, 6, 7, 8, 9]);
      await until(async () => (await bed.diskChain()).length === 1);
      await bed.expectWholeSnapshots();
    }
    await untilSeen(bed.agent, 1, (seen) => seen.state === (state === "runs" ? "running" : "stopped"));
    await bed.agent.start(1);
    await bed.untilEchoes(1);
    await bed.agent.stop(1);
    expect(await bed.patternOf({ vmId: 1 })).toBe(act === "restore" ? patterns[2] : present);
    await until(async () => (await readFile("/proc/sys/vm/unprivileged_userfaultfd", "utf8")) === "0\n");
    await bed.expectNothingLeft();
  });

  async function crash(failpoint: Failpoint, act: SnapshotAct): Promise<void> {
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act, failpoint, spec });
  }
});

const ensureFailpoints: Failpoint[] = ["agent.ensure.folder-made", "agent.ensure.disk-made", "agent.ensure.seed-made"];

describe("a clone", () => {
  test.each(ensureFailpoints)("killed at %s is absent, and made when asked again", async (failpoint) => {
    await bed.makeVm();
    const spec = await bed.cloneSpec();
    await bed.agent.close();
    await crashAt({ settings: host.settings, act: "clone", failpoint, spec });
    bed.agent = await host.agent();
    expect((await bed.agent.observe(2)).state).toBe("absent");
    await bed.agent.ensure(spec);
    await bed.agent.removeSnapshot(2);
    expect(await bed.patternOf({ vmId: 2 })).toBe(patterns[2]);
    await bed.agent.start(2);
    await bed.untilEchoes(2);
    await bed.expectWholeSnapshots();
    await bed.expectNothingLeft();
  });
});

describe("faults while a snapshot is taken", () => {
  test("QEMU killed while its memory is written: no snapshot, and the VM starts with its disk", async () => {
    await bed.makeVm();
    await bed.start();
    const { pid } = await bed.agent.observe(1);
    const killing: TaskReport = {
      log: () => {},
      progress: (_, message) => {
        if (message.startsWith("Holding")) signal(pid, "SIGSTOP");
      },
    };
    const taken = bed.agent.takeSnapshot(
      1,
      { snapshotId: 9, operationId: 9, memory: true, freeze: false },
      killing,
      unaborted,
    );
    taken.catch(() => undefined);
    await until(async () => (await readFile(`/proc/${pid}/stat`, "utf8")).includes(") T "));
    signal(pid, "SIGKILL");
    await expect(taken).rejects.toThrow();
    await until(async () => (await startTimeOf(pid ?? 0)) === null);
    expect((await bed.agent.listSnapshots()).map(({ id }) => id)).toEqual([1, 2, 3]);
    await untilSeen(bed.agent, 1, (seen) => seen.state === "crashed");
    await bed.start();
    await bed.untilEchoes(1);
    await bed.agent.stop(1);
    expect(await bed.patternOf({ vmId: 1 })).toBe(present);
    await bed.expectWholeSnapshots();
    await bed.expectNothingLeft();
  });

  test("a host's disk that fills up is said so, the guest goes on, and nothing is lost", async () => {
    await bed.agent.close();
    const { dataDir } = host.settings;
    const folder = pathsOf(host.settings).snapshots;
    await execa("mount", ["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", folder]);
    try {
      bed.agent = await host.agent();
      await bed.makeVm();
      await bed.start();
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
      await expect(bed.agent.takeSnapshot(1, ask, filling, unaborted)).rejects.toMatchObject({
        code: "insufficient_capacity",
      });
      rmSync(ballast);
      await bed.untilEchoes(1);
      await untilSeen(bed.agent, 1, ({ state }) => state === "running");
      await bed.expectWholeSnapshots();
      expect(await bed.agent.takeSnapshot(1, ask, report, unaborted)).toMatchObject({ consistency: "memory" });
      await bed.expectNothingLeft();
    } finally {
      await bed.agent.close();
      await execa("umount", ["--lazy", folder]);
      expect(readdirSync(dataDir)).not.toContain("ballast");
    }
  });
});
