import { expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import { filterOperations, operationDurationMs, subjectBesideVm } from "./operationWords";

const base: Operation = {
  id: 1,
  kind: "create",
  status: "done",
  progress: 100,
  message: null,
  error: null,
  vm: { id: 7, name: "web-1" },
  subject: null,
  transfer: null,
  result: null,
  isTask: false,
  actor: "admin",
  createdAt: "2026-11-22T10:00:00.000Z",
  startedAt: "2026-11-22T10:00:01.000Z",
  finishedAt: "2026-11-22T10:00:03.500Z",
};
const pending: Operation = { ...base, id: 2, kind: "reboot", status: "pending", finishedAt: null };
const failed: Operation = {
  ...base,
  id: 3,
  kind: "start",
  status: "failed",
  error: "No disk space is left.",
  vm: null,
};
const all = [base, pending, failed];

const idsOf = (operations: Operation[]) => operations.map(({ id }) => id);

test("a filter leaves what is under way, waiting included, or what failed", () => {
  expect(idsOf(filterOperations(all, "all", ""))).toEqual([1, 2, 3]);
  expect(idsOf(filterOperations(all, "running", ""))).toEqual([2]);
  expect(idsOf(filterOperations(all, "failed", ""))).toEqual([3]);
});

test("search looks into kind, subject, VM, person and error, whatever the case", () => {
  const about = { ...base, id: 4, kind: "image-upload" as const, vm: null, subject: "Debian-13" };
  expect(idsOf(filterOperations([...all, about], "all", "debian-1"))).toEqual([4]);
  expect(idsOf(filterOperations(all, "all", "REBOOT"))).toEqual([2]);
  expect(idsOf(filterOperations(all, "all", " web-1 "))).toEqual([1, 2]);
  expect(idsOf(filterOperations(all, "all", "disk space"))).toEqual([3]);
  expect(idsOf(filterOperations(all, "failed", "web"))).toEqual([]);
});

test("a duration counts from the asking and exists only at the end", () => {
  expect(operationDurationMs(base)).toBe(3500);
  expect(operationDurationMs(pending)).toBeNull();
});

test("what an operation is about is said once: not when that is the VM, which is named beside it", () => {
  expect(subjectBesideVm({ ...base, subject: "before the upgrade" })).toBe("before the upgrade");
  expect(subjectBesideVm({ ...base, vm: null, subject: "debian-13" })).toBe("debian-13");
  expect(subjectBesideVm({ ...base, subject: "web-1" })).toBeNull();
});
