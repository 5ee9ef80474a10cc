import { expect, onTestFinished, test } from "vitest";
import { archivedVm } from "../../archives/testing/tar";
import { CumulusError } from "../../domain/errors";
import type { ExportTarget, Hypervisor } from "../../hypervisor/hypervisor";
import { until } from "../../hypervisor/testing/until";
import { testHypervisor, testTaskRunner } from "../testAgent";
import { taskKinds } from "./kinds";

test("backups in a repository are made one by one, each told that it waits, and each asks for room before it writes", async () => {
  const exports: { target: ExportTarget; fail: () => void }[] = [];
  const hypervisor: Hypervisor = {
    ...testHypervisor(),
    exportDisk: (_source, target, _report, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        exports.push({ target, fail: () => reject(new CumulusError("internal", "It can't be read.")) });
      }),
  };
  const runner = testTaskRunner(hypervisor, taskKinds);
  onTestFinished(() => runner.close());
  const access = { place: { kind: "folder", path: "/mnt" }, password: "correct horse" };
  for (const id of [1, 2, 3]) await runner.put(id, "backup", { access, snapshotId: id, description: archivedVm });

  await until(() => exports.length > 0);
  expect(await runner.get(2)).toMatchObject({ status: "running", message: "waits for another to end" });
  expect(await runner.get(3)).toMatchObject({ status: "running", message: "waits for 2 others to end" });
  for (const count of [1, 2, 3]) {
    await until(() => exports.length >= count);
    expect(exports).toHaveLength(count);
    expect(exports.at(-1)?.target.room).toEqual({ copies: 1, reserveBytes: expect.any(Number) });
    exports.at(-1)?.fail();
  }
});

test("copies are removed from a repository in turn with those that are made in it, not against their lock", async () => {
  const hypervisor: Hypervisor = {
    ...testHypervisor(),
    exportDisk: (_source, _target, _report, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  };
  const runner = testTaskRunner(hypervisor, taskKinds);
  onTestFinished(() => runner.close());
  const at = (path: string) => ({ place: { kind: "folder", path }, password: "correct horse" });
  await runner.put(1, "backup", { access: at("/mnt"), snapshotId: 1, description: archivedVm });
  await runner.put(2, "backup-remove", { access: at("/mnt/"), keys: [] });
  await until(async () => (await runner.get(2)).message === "waits for another to end");
});

test("of backups in any repositories one at a time reads a disk, since all need room for a copy", async () => {
  const exported: unknown[] = [];
  const hypervisor: Hypervisor = {
    ...testHypervisor(),
    exportDisk: (source, _target, _report, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        exported.push(source);
      }),
  };
  const runner = testTaskRunner(hypervisor, taskKinds);
  onTestFinished(() => runner.close());
  for (const [id, path] of [
    [1, "/mnt/a"],
    [2, "/mnt/b"],
    [3, "/mnt/a/"],
  ] as const) {
    const access = { place: { kind: "folder", path }, password: "correct horse" };
    await runner.put(id, "backup", { access, snapshotId: id, description: archivedVm });
  }
  await until(async () => (await runner.get(2)).message === "waits for another to end");
  expect(exported).toEqual([{ snapshotId: 1 }]);
  await runner.cancel(1);
  await until(() => exported.length === 2);
  await runner.cancel(2);
  await until(() => exported.length === 3);
});
