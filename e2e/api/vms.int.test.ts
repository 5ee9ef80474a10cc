import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, startStack, until } from "../stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ hypervisor: "fake" });
});
afterAll(() => stack?.stop());

interface Problem {
  status: number;
  code: string;
  detail: string;
  fields?: Record<string, string>;
  allowed?: string[];
}

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl somebody@example";

const make = (name: string, rest: object = {}, query = "") =>
  stack.api<Vm>("POST", `/api/vms${query}`, { name, image: "mini", size: "nano", ...rest });
const get = async (id: number) => (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
const settled = async (id: number) => {
  await until("the operation ended", async () => {
    const { body } = await stack.api<Operation>("GET", `/api/operations/${id}`);
    return body.finishedAt !== null;
  });
  return (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
};

describe("a VM's life by the API", () => {
  test("create, wait until ready, stop, resize, start, pause, resume, reboot, shut down, destroy", async () => {
    const { status, body: vm } = await make("life", { sshKeys: [key] }, "?wait=ready");
    expect(status).toBe(201);
    expect(vm).toMatchObject({ name: "life", status: "running", isReady: true, size: { name: "nano" } });
    expect(vm.timeline.map(({ state }) => state)).toEqual(Array(8).fill("done"));
    const act = async (action: string, body: object = {}) => {
      const { status, body: operation } = await stack.api<Operation>("POST", `/api/vms/${vm.id}/${action}`, body);
      expect(status).toBe(202);
      expect(await settled(operation.id)).toMatchObject({ status: "done", progress: 100, error: null });
    };
    await act("pause");
    expect((await get(vm.id)).status).toBe("paused");
    await act("resume");
    await act("reboot");
    await act("reset");
    await act("stop");
    expect(await get(vm.id)).toMatchObject({ status: "stopped", desired: "stopped", isReady: false });
    const resized = await stack.api<Vm>("PATCH", `/api/vms/${vm.id}`, { size: "micro", name: "other-life" });
    expect(resized.body).toMatchObject({ name: "other-life", size: { name: "micro" } });
    await act("start");
    await act("shutdown", { deadlineSeconds: 30 });
    expect((await get(vm.id)).status).toBe("stopped");
    const { body: destroyed } = await stack.api<Operation>("DELETE", `/api/vms/${vm.id}`);
    expect(await settled(destroyed.id)).toMatchObject({ kind: "destroy", status: "done" });
    expect((await stack.api("GET", `/api/vms/${vm.id}`)).status).toBe(404);
    const { body: activity } = await stack.api<{ items: Operation[] }>("GET", `/api/operations?vm=${vm.id}`);
    expect(activity.items.map(({ kind }) => kind).reverse()).toEqual([
      "create",
      "pause",
      "resume",
      "reboot",
      "reset",
      "stop",
      "rename",
      "resize",
      "start",
      "shutdown",
      "destroy",
    ]);
  });

  test("its operations come in pages, newest first, each once", async () => {
    const { body: vm } = await make("paged", {}, "?wait=ready");
    for (const action of ["pause", "resume", "stop", "start"]) {
      await settled((await stack.api<Operation>("POST", `/api/vms/${vm.id}/${action}`, {})).body.id);
    }
    type Page = { items: Operation[]; nextCursor: string | null };
    const page = async (query: string) => (await stack.api<Page>("GET", `/api/operations?vm=${vm.id}${query}`)).body;
    const all = await page("");
    expect(all).toMatchObject({ items: { length: 5 }, nextCursor: null });
    const seen: number[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { items, nextCursor }: Page = await page(`&limit=2${cursor && `&cursor=${cursor}`}`);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }) => id));
      cursor = nextCursor;
    }
    expect(seen).toEqual(all.items.map(({ id }) => id));
    expect((await page("&limit=5")).nextCursor).toBeNull();
  });

  test("start of a running VM and stop of a stopped one change nothing", async () => {
    const { body: vm } = await make("idempotent", {}, "?wait=ready");
    for (const [action, message] of [
      ["start", "It runs already."],
      ["stop", "It is off."],
      ["stop", "It is off already."],
    ] as const) {
      const { body } = await stack.api<Operation>("POST", `/api/vms/${vm.id}/${action}`, {});
      expect(await settled(body.id)).toMatchObject({ status: "done", message });
    }
  });

  test("the same Idempotency-Key makes one VM, also in parallel; with another request it is refused", async () => {
    const headers = { "idempotency-key": "a-key-of-this-test" };
    const body = { name: "once", image: "mini", size: "nano" };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => stack.api<Vm>("POST", "/api/vms", body, headers)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    expect(new Set(answers.map(({ body: vm }) => vm.id)).size).toBe(1);
    const other = await stack.api<Problem>("POST", "/api/vms", { ...body, name: "twice" }, headers);
    expect(other).toMatchObject({ status: 409, body: { code: "conflict" } });
  });

  test("50 creates at once share no address, MAC or port, and one name is given once", async () => {
    const made = await Promise.all(Array.from({ length: 50 }, (_, index) => make(`many-${index}`, { memory: "64M" })));
    expect(made.map(({ status }) => status)).toEqual(Array(50).fill(201));
    for (const value of [(vm: Vm) => vm.ipv4, (vm: Vm) => vm.mac, (vm: Vm) => vm.ssh.port]) {
      expect(new Set(made.map(({ body }) => value(body))).size).toBe(50);
    }
    const same = await Promise.all(Array.from({ length: 6 }, () => make("just-one")));
    expect(same.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    await Promise.all(made.map(({ body }) => stack.api("DELETE", `/api/vms/${body.id}`)));
    // What they free while others ask for the last of the memory would be enough for more than one.
    const isOneLeft = async () => {
      const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms");
      return body.items.some(({ name }) => name.startsWith("many-"));
    };
    await until("they are destroyed", async () => !(await isOneLeft()), 90_000);
  });

  test("memory is admitted against the host: two requests for the last of it, one wins, and the refusal names what is free", async () => {
    const { body: host } = await stack.api<{ memoryFreeBytes: number }>("GET", "/api/host");
    const memory = host.memoryFreeBytes - 100 * 1024 ** 2;
    const answers = await Promise.all([make("last-a", { memory }), make("last-b", { memory })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 507]);
    const refused = answers.find(({ status }) => status === 507)?.body as unknown as Problem;
    expect(refused).toMatchObject({ code: "insufficient_capacity" });
    expect(refused.detail).toMatch(/\d+(\.\d)? (GiB|MiB) asked for, \d+(\.\d)? (GiB|MiB|B) free/);
    const winner = answers.find(({ status }) => status === 201)?.body as Vm;
    // The next VM finds room again once this one is gone.
    const { body: destroyed } = await stack.api<Operation>("DELETE", `/api/vms/${winner.id}`);
    expect(await settled(destroyed.id)).toMatchObject({ kind: "destroy", status: "done" });
  });

  test("a disk that can't be filled is refused, naming what is free", async () => {
    const refused = await make("huge", { disk: "60000G" });
    expect(refused).toMatchObject({ status: 507, body: { code: "insufficient_capacity" } });
  });
});

describe("acts in the wrong state", () => {
  test("answer 409 with the states in which they are allowed, and change nothing", async () => {
    const { body: vm } = await make("wrong-state", {}, "?wait=ready");
    const refuse = async (method: string, path: string, body: object, allowed: string[]) => {
      const answer = await stack.api<Problem>(method, `/api/vms/${vm.id}${path}`, body);
      expect(answer).toMatchObject({ status: 409, body: { code: "wrong_state", allowed } });
    };
    await refuse("POST", "/resume", {}, ["paused"]);
    await refuse("PATCH", "", { size: "micro" }, ["stopped"]);
    await refuse("PATCH", "", { size: "micro", name: "renamed-anyway" }, ["stopped"]);
    expect(await get(vm.id)).toMatchObject({ name: "wrong-state", size: { name: "nano" }, status: "running" });
    const { body: stop } = await stack.api<Operation>("POST", `/api/vms/${vm.id}/stop`, {});
    await settled(stop.id);
    for (const action of ["pause", "reboot", "reset", "shutdown"]) {
      const answer = await stack.api<Problem>("POST", `/api/vms/${vm.id}/${action}`, {});
      expect(answer).toMatchObject({ status: 409, body: { code: "wrong_state" } });
    }
    const shrink = await stack.api<Problem>("PATCH", `/api/vms/${vm.id}`, { disk: "1G" });
    expect(shrink).toMatchObject({ status: 400, body: { fields: { disk: expect.stringContaining("only grows") } } });
  });

  test("what isn't there is 404 in every form", async () => {
    for (const id of ["999999", "0", "-1", "1.5", "abc", "99999999999999999999", "1%00", "__proto__"]) {
      expect((await stack.api("GET", `/api/vms/${id}`)).status).toBe(404);
    }
    expect((await stack.api("POST", "/api/vms/999999/start", {})).status).toBe(404);
    expect((await stack.api("DELETE", "/api/vms/999999")).status).toBe(404);
    expect((await stack.api("GET", "/api/operations/999999")).status).toBe(404);
    expect((await stack.api("DELETE", "/api/ssh-keys/999999")).status).toBe(404);
    expect((await stack.api("GET", "/api/vms/999999/screenshot")).status).toBe(404);
  });
});
