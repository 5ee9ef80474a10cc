import { expect, test } from "vitest";
import { sourceWords, usesWords, whyNoDelete, whyNoRefresh } from "./imageWords";

test("an image says where it came from", () => {
  expect(sourceWords({ source: { type: "url", url: "https://example.org/a/b.qcow2" } })).toBe(
    "Downloaded from example.org",
  );
  expect(sourceWords({ source: { type: "vm", vmName: "web", snapshotName: "before" } })).toBe(
    "Made from the snapshot “before” of web",
  );
});

test("an image that is used can't be deleted, and says by how many", () => {
  const vm = { id: 1, name: "web" };
  const snapshot = { id: 1, name: "before", vmId: 1, vmName: "web" };
  expect(whyNoDelete({ vms: [], snapshots: [] })).toBeUndefined();
  expect(whyNoDelete({ vms: [vm], snapshots: [] })).toMatch(/^1 VM uses it/);
  expect(whyNoDelete({ vms: [vm, vm], snapshots: [snapshot] })).toMatch(/^2 VMs and 1 snapshot use it/);
  expect(usesWords({ vmCount: 0, snapshotCount: 0 })).toBeUndefined();
  expect(usesWords({ vmCount: 2, snapshotCount: 1 })).toBe("2 VMs, 1 snapshot");
});

test("what somebody brought can't be had anew", () => {
  expect(whyNoRefresh({ source: { type: "upload", fileName: "a.img" } })).toBeDefined();
  expect(whyNoRefresh({ source: { type: "built" } })).toBeUndefined();
});
