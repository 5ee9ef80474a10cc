import { expect, test } from "vitest";
import { deletionWords, publishedWords, sourceWords, whyNoDelete, whyNoRefresh } from "./imageWords";

test("an image says where it came from", () => {
  expect(sourceWords({ source: { type: "url", url: "https://example.org/a/b.qcow2" } })).toBe(
    "Downloaded from example.org",
  );
  expect(sourceWords({ source: { type: "vm", vmName: "web", snapshotName: "before" } })).toBe(
    "Made from the snapshot “before” of web",
  );
});

test("an image that is used can't be deleted, and says by whom", () => {
  const vm = { id: 1, name: "web" };
  const snapshot = { id: 1, name: "before", vmId: 1, vmName: "web" };
  expect(whyNoDelete({ kind: "disk", vms: [], snapshots: [] })).toBeUndefined();
  expect(whyNoDelete({ kind: "disk", vms: [vm], snapshots: [] })).toMatch(/^web needs it/);
  expect(whyNoDelete({ kind: "disk", vms: [vm], snapshots: [snapshot] })).toMatch(/^web, “before” of web need it/);
  expect(whyNoDelete({ kind: "disk", vms: [vm, vm, vm, vm], snapshots: [snapshot] })).toMatch(/and 2 more need it/);
  expect(whyNoDelete({ kind: "iso", vms: [vm], snapshots: [] })).toMatch(/drive of web: eject it/);
});

test("an image whose bytes are another's leaves them the file", () => {
  const sameFile = [{ id: 2, name: "web-2", title: "Web 2" }];
  expect(deletionWords({ fileBytes: 2 ** 20, sameFile: [] })).toMatch(/file goes with it, which takes 1 MiB/);
  expect(deletionWords({ fileBytes: 2 ** 20, sameFile })).toMatch(/file stays for web-2/);
});

test("what somebody brought can't be had anew", () => {
  expect(whyNoRefresh({ source: { type: "upload", fileName: "a.img" } })).toBeDefined();
  expect(whyNoRefresh({ source: { type: "built" } })).toBeUndefined();
});

test("an image of the catalogue says what its maker said last, or why it said nothing", () => {
  const told = { askedAt: "2026-11-22T10:00:00.000Z", checksum: "sha256:0", problem: null };
  expect(publishedWords({ newerBuild: null, published: null })).toMatch(/^Nobody has asked/);
  expect(publishedWords({ newerBuild: null, published: told })).toBe("This is what its maker publishes.");
  expect(publishedWords({ newerBuild: "published", published: told })).toMatch(/published another one/);
  const problem = "mirror.example did not tell.";
  expect(publishedWords({ newerBuild: "published", published: { ...told, problem } })).toMatch(
    /asked: mirror\.example/,
  );
});
