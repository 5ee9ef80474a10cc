import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack, until } from "../stack";
import { type Problem, snapshotClient } from "./snapshotClient";

let stack: Stack;
let api: ReturnType<typeof snapshotClient>;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
  api = snapshotClient(stack);
});
afterAll(() => stack?.stop());

describe("new VMs", () => {
  test("from a snapshot: another identity, the snapshot's shape unless asked otherwise", async () => {
    const vm = await api.create("origin", { size: "micro" });
    const snapshot = await api.take(vm.id);
    const { body: made } = await stack.api<Vm>("POST", "/api/vms?wait=ready", { name: "copy", snapshot: snapshot.id });
    expect(made).toMatchObject({ status: "running", image: vm.image });
    expect(made.size).toMatchObject({ vcpus: vm.size.vcpus, diskBytes: vm.size.diskBytes });
    for (const value of [(one: Vm) => one.mac, (one: Vm) => one.ipv4, (one: Vm) => one.ssh.port]) {
      expect(value(made)).not.toBe(value(vm));
    }
    expect((await api.snapshotOf(snapshot.id)).vmCount).toBe(1);
    const small = { name: "too-small", snapshot: snapshot.id, size: "nano" };
    await api.refuses("/api/vms", small, { status: 400, fields: { disk: expect.stringContaining("needs") } });
    await api.does("DELETE", `/api/snapshots/${snapshot.id}`);
    await api.does("POST", `/api/vms/${made.id}/stop`);
    await api.does("POST", `/api/vms/${made.id}/start`);
  });

  test.each(["running", "stopped"] as const)(
    "a clone of a %s VM: one call, and nothing in between is left",
    async (state) => {
      const source = await api.create(`source-${state}`);
      if (state === "stopped") await api.does("POST", `/api/vms/${source.id}/stop`);
      const { body: asked } = await stack.api<Operation>("POST", `/api/vms/${source.id}/clone`, {
        name: `clone-${state}`,
      });
      expect(asked).toMatchObject({ kind: "clone", vm: { name: `clone-${state}` } });
      const cloneId = asked.vm?.id ?? 0;
      expect(await api.vmOf(cloneId)).toMatchObject({ desired: "running", size: source.size, image: source.image });
      await api.ended(asked.id);
      await until("it is ready", async () => (await api.vmOf(cloneId)).isReady);
      expect((await api.vmOf(cloneId)).mac).not.toBe(source.mac);
      expect(await api.snapshotsOf(source.id)).toEqual([]);
      const hidden = async () => (await stack.agent.listSnapshots()).filter(({ vmId }) => vmId === source.id);
      await until("what it was made from is gone", async () => (await hidden()).length === 0, 40_000);
    },
  );

  test("a clone's name is given once, and the same Idempotency-Key makes one clone", async () => {
    const source = await api.create("source-once");
    await api.refuses(
      `/api/vms/${source.id}/clone`,
      { name: "source-once" },
      { status: 409, code: "conflict", fields: { name: "This name is taken." } },
    );
    const headers = { "idempotency-key": "clone-once" };
    const answers = await Promise.all(
      [1, 2, 3].map(() => stack.api<Operation>("POST", `/api/vms/${source.id}/clone`, { name: "clone-once" }, headers)),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await api.ended(answers[0]?.body.id ?? 0);
  });
});

describe("export", () => {
  test("of a VM and of a snapshot: a file that can be fetched, in parts too", async () => {
    const vm = await api.create("exported");
    const snapshot = await api.take(vm.id, { name: "as it was" });
    for (const path of [`/api/vms/${vm.id}/export`, `/api/snapshots/${snapshot.id}/export`]) {
      const { id, result } = await api.does("POST", path);
      expect(result).toEqual({ file: `/api/operations/${id}/file`, fileBytes: expect.any(Number), format: "qcow2" });
      const fetchFile = (headers: Record<string, string> = {}) =>
        fetch(`${stack.url}${result?.file}`, { headers: { authorization: `Bearer ${stack.token}`, ...headers } });
      const whole = await fetchFile();
      expect(whole.headers.get("content-disposition")).toMatch(
        /^attachment; filename="exported(\.qcow2"|-as-it-was\.qcow2"; filename\*=UTF-8''exported-as%20it%20was\.qcow2)$/,
      );
      const text = await whole.text();
      expect(text.length).toBe(result?.fileBytes);
      const part = await fetchFile({ range: "bytes=4-7" });
      expect([part.status, await part.text()]).toEqual([206, text.slice(4, 8)]);
    }
    const { body: operations } = await stack.api<{ items: Operation[] }>("GET", `/api/operations?vm=${vm.id}`);
    const other = operations.items.find(({ kind }) => kind === "create");
    expect((await stack.api("GET", `/api/operations/${other?.id}/file`)).status).toBe(404);
  });
});

describe("bad input", () => {
  let vm: Vm;
  let snapshot: Snapshot;
  beforeAll(async () => {
    vm = await api.create("bad-input");
    snapshot = await api.take(vm.id);
  });

  const bodies: [string, () => string, string, object, string][] = [
    ["an empty name", () => `/api/vms/${vm.id}/snapshots`, "POST", { name: " " }, "name"],
    ["a name with a line's end", () => `/api/vms/${vm.id}/snapshots`, "POST", { name: "a\nb" }, "name"],
    ["a name of 101 characters", () => `/api/vms/${vm.id}/snapshots`, "POST", { name: "x".repeat(101) }, "name"],
    ["a note without end", () => `/api/vms/${vm.id}/snapshots`, "POST", { note: "x".repeat(2001) }, "note"],
    ["memory that is no yes or no", () => `/api/vms/${vm.id}/snapshots`, "POST", { memory: "yes" }, "memory"],
    ["a field that isn't there", () => `/api/vms/${vm.id}/snapshots`, "POST", { path: "/etc" }, "path"],
    ["a new name that is none", () => `/api/snapshots/${snapshot.id}`, "PATCH", { name: "" }, "name"],
    ["memory after the fact", () => `/api/snapshots/${snapshot.id}`, "PATCH", { hasMemory: true }, "hasMemory"],
    [
      "a safety that is none",
      () => `/api/snapshots/${snapshot.id}/restore`,
      "POST",
      { safetySnapshot: 1 },
      "safetySnapshot",
    ],
    ["a clone without a name", () => `/api/vms/${vm.id}/clone`, "POST", {}, "name"],
    ["a clone with a path's name", () => `/api/vms/${vm.id}/clone`, "POST", { name: "../x" }, "name"],
    [
      "an image and a snapshot",
      () => "/api/vms",
      "POST",
      { name: "both", image: "mini", snapshot: 1, size: "nano" },
      "image",
    ],
    ["neither image nor snapshot", () => "/api/vms", "POST", { name: "neither", size: "nano" }, "image"],
    ["a snapshot that isn't there", () => "/api/vms", "POST", { name: "nothing", snapshot: 999_999 }, "snapshot"],
    ["a snapshot that is no id", () => "/api/vms", "POST", { name: "nothing", snapshot: "newest" }, "snapshot"],
  ];
  test.each(bodies)("%s is a 400 that names the field", async (_what, path, method, body, field) => {
    const { status, body: problem } = await stack.api<Problem>(method, path(), body);
    expect(status).toBe(400);
    expect(Object.keys(problem.fields ?? {})).toContain(field);
  });

  test("what isn't there is 404 in every form, and a snapshot is found below its own VM only", async () => {
    const other = await api.create("bad-input-other");
    const paths = [
      "/api/snapshots/999999",
      "/api/snapshots/0",
      "/api/snapshots/abc",
      "/api/snapshots/__proto__",
      "/api/vms/999999/snapshots",
      "/api/vms/999999/snapshots/cost",
      `/api/vms/${vm.id}/snapshots/999999`,
      `/api/vms/${other.id}/snapshots/${snapshot.id}`,
    ];
    for (const path of paths) expect((await stack.api("GET", path)).status, path).toBe(404);
    for (const path of ["/api/snapshots/999999/restore", `/api/vms/${other.id}/snapshots/${snapshot.id}/restore`]) {
      expect((await stack.api("POST", path, {})).status, path).toBe(404);
    }
    expect((await stack.api("DELETE", `/api/vms/${other.id}/snapshots/${snapshot.id}`)).status).toBe(404);
    expect((await stack.api("POST", "/api/vms/999999/clone", { name: "nobody" })).status).toBe(404);
    expect((await stack.api("POST", "/api/vms/999999/export", {})).status).toBe(404);
    expect((await stack.api("GET", "/api/snapshots?vm=abc")).status).toBe(400);
    expect((await stack.api("DELETE", `/api/vms/${vm.id}?snapshots=maybe`)).status).toBe(400);
    expect(await api.vmOf(vm.id)).toMatchObject({ status: "running" });
  });

  test("name and note can be changed, and a name that another has is refused", async () => {
    const second = await api.take(vm.id, { name: "second" });
    const { body } = await stack.api<Snapshot>("PATCH", `/api/snapshots/${second.id}`, {
      name: "renamed",
      note: "Why.",
    });
    expect(body).toMatchObject({ name: "renamed", note: "Why." });
    await api.refuses(
      `/api/snapshots/${second.id}`,
      { name: snapshot.name },
      { status: 409, fields: { name: "This name is taken." } },
      "PATCH",
    );
  });
});
