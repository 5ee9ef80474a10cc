import { afterAll, beforeAll, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { SnapshotFile } from "../../lib/domain/snapshotFile";
import { signal } from "../../lib/system/testing/signal";
import { type Stack, startStack } from "../stack";
import { snapshotClient } from "./snapshotClient";

let stack: Stack;
let api: ReturnType<typeof snapshotClient>;
let snapshot: Snapshot;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = snapshotClient(stack);
  const vm = await api.create("browsed");
  snapshot = await api.take(vm.id, { name: "looked-into" });
});
afterAll(() => stack?.stop());

const get = (path: string, token = stack.token) =>
  fetch(stack.url + path, { headers: { authorization: `Bearer ${token}` } });
const of = (what: "files" | "file", path?: string, id = snapshot.id) =>
  `/api/snapshots/${id}/${what}${path === undefined ? "" : `?path=${encodeURIComponent(path)}`}`;

test("a folder is listed, the root where none is named", async () => {
  const root = await stack.api<{ items: SnapshotFile[]; totalCount: number }>("GET", of("files"));
  expect(root).toMatchObject({ status: 200, body: { totalCount: 3 } });
  expect(root.body.items.map(({ name }) => name)).toContain("etc");
  const { body: etc } = await stack.api<{ items: SnapshotFile[] }>("GET", of("files", "/etc"));
  expect(etc.items).toContainEqual(expect.objectContaining({ name: "hostname", type: "file", permissions: "0644" }));
});

test("a file comes as a download of its own name", async () => {
  const answer = await get(of("file", "/etc/hostname"));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/octet-stream");
  expect(answer.headers.get("content-disposition")).toBe('attachment; filename="hostname"');
  expect(await answer.text()).toBe("fake\n");
});

test.each<["files" | "file", string | undefined]>([
  ["files", "etc"],
  ["files", ""],
  ["files", "/a\0b"],
  ["files", `/${"a".repeat(4096)}`],
  ["file", undefined],
  ["file", "etc/hostname"],
  ["file", "../etc/hostname"],
])("%s of the path %j is refused, naming it", async (what, path) => {
  expect(await stack.api("GET", of(what, path))).toMatchObject({
    status: 400,
    body: { code: "bad_request", fields: { path: expect.any(String) } },
  });
});

test("what is not there is not found, and a folder is no file", async () => {
  for (const path of [
    of("files", "/none"),
    of("file", "/etc/none"),
    of("files", "/", 999_999),
    of("file", "/a", 999_999),
  ]) {
    expect(await stack.api("GET", path), path).toMatchObject({ status: 404, body: { code: "not_found" } });
  }
  expect(await stack.api("GET", of("file", "/etc"))).toMatchObject({ status: 400, body: { code: "bad_request" } });
});

test("who may not is told nothing", async () => {
  for (const path of [of("files"), of("file", "/etc/hostname")]) expect((await get(path, "wrong")).status).toBe(401);
});

test("a snapshot that is still being taken is not looked into", async () => {
  const agentPid = await stack.pidOf("agent");
  let asked: Operation;
  // An agent that stands still takes none.
  signal(agentPid, "SIGSTOP");
  try {
    asked = (await stack.api<Operation>("POST", `/api/vms/${snapshot.vm.id}/snapshots`, { name: "in-the-making" }))
      .body;
    const made = (await api.snapshotsOf(snapshot.vm.id)).find(({ name }) => name === "in-the-making");
    expect(made?.status).toBe("creating");
    for (const path of [of("files", "/", made?.id), of("file", "/etc/hostname", made?.id)]) {
      expect(await stack.api("GET", path), path).toMatchObject({
        status: 409,
        body: { code: "wrong_state", allowed: ["available"], detail: expect.stringContaining("in-the-making") },
      });
    }
  } finally {
    signal(agentPid, "SIGCONT");
  }
  const { result } = await api.ended(asked.id);
  expect((await get(of("files", "/", result?.snapshotId as number))).status).toBe(200);
});
