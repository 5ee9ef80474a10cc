import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { closeCodes } from "../domain/console";
import { type ByteStream, byteStreamOf } from "../system/byteStream";
import { asAda, startTestConsole, type TestConsole, until } from "./testConsole";

let it: TestConsole;
afterEach(() => it.close());

const cookieFrom = (origin?: string) => ({ headers: { cookie: "session=ada", ...(origin && { origin }) } });

async function opened(client: WebSocket): Promise<WebSocket> {
  await once(client, "open");
  return client;
}

async function closed(client: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(client, "close")) as [number, Buffer];
  return { code, reason: reason.toString() };
}

describe("before the 101", () => {
  test.each([
    "/",
    "/api/vms/7",
    "/api/vms/7/vnc/x",
    "/api/vms/0/vnc",
    "/api/vms/-7/vnc",
    "/api/vms/7e0/vnc",
    "/_next/hmr",
  ])("nothing but the consoles' paths is connected: %s", async (path) => {
    it = await startTestConsole();
    expect((await it.ask(path)).status).toBe(404);
  });

  test("an id larger than any is a VM that doesn't exist", async () => {
    it = await startTestConsole();
    expect((await it.ask("/api/vms/2147483648/vnc")).status).toBe(404);
    expect((await it.ask("/api/vms/99999999999999999999/vnc")).status).toBe(404);
  });

  test("a host name that isn't ours is refused (DNS rebinding)", async () => {
    it = await startTestConsole();
    const answer = await it.ask("/api/vms/7/vnc", { headers: { ...asAda.headers, host: "evil.example" } });
    expect(answer.status).toBe(403);
  });

  test("no credentials, no console", async () => {
    it = await startTestConsole();
    expect((await it.ask("/api/vms/7/vnc", {})).status).toBe(401);
    expect((await it.ask("/api/vms/7/serial", { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  });

  test("a cookie opens a console for pages of the same origin only", async () => {
    it = await startTestConsole();
    expect((await it.ask("/api/vms/7/vnc", cookieFrom())).status).toBe(403);
    expect((await it.ask("/api/vms/7/vnc", cookieFrom("null"))).status).toBe(403);
    expect((await it.ask("/api/vms/7/vnc", cookieFrom("http://evil.example"))).status).toBe(403);
    expect((await it.ask("/api/vms/7/vnc", cookieFrom("http://127.0.0.1:1"))).status).toBe(403);
    expect((await it.ask("/api/vms/7/vnc", cookieFrom(`http://127.0.0.1:${it.port}`))).status).toBe(101);
  });

  test("a token needs no origin", async () => {
    it = await startTestConsole();
    expect((await it.ask("/api/vms/7/serial")).status).toBe(101);
  });

  test("another's VM looks like one that doesn't exist", async () => {
    it = await startTestConsole();
    const others = await it.ask("/api/vms/7/vnc", { headers: { authorization: "Bearer bob" } });
    const missing = await it.ask("/api/vms/9/vnc", { headers: { authorization: "Bearer bob" } });
    expect(others).toEqual({ status: 404, detail: "There is no VM 7." });
    expect(missing).toEqual({ status: 404, detail: "There is no VM 9." });
    expect(it.machines).toHaveLength(0);
  });

  test("a VM that is off is said so in the agent's words", async () => {
    it = await startTestConsole();
    expect(await it.ask("/api/vms/8/vnc")).toEqual({ status: 409, detail: "VM 8 is off. Start it to see its screen." });
  });

  test("a database that is away is a 503 and is logged", async () => {
    it = await startTestConsole();
    it.isDatabaseAway = true;
    expect((await it.ask("/api/vms/7/vnc")).status).toBe(503);
    expect(it.warnings).toEqual(["console not opened"]);
  });

  test("an agent that doesn't answer is a 503, not a hanging browser", async () => {
    const never = () => new Promise<never>(() => {});
    it = await startTestConsole({ handshakeTimeoutMs: 50 }, { agent: { openVnc: never, openSerial: never } });
    expect((await it.ask("/api/vms/7/vnc")).status).toBe(503);
  });

  test("a browser that leaves before the VM is connected leaves no connection to the VM", async () => {
    const upstream = new PassThrough();
    let connect: ((upstream: ByteStream) => void) | undefined;
    const slow = () => new Promise<ByteStream>((resolve) => (connect = resolve));
    it = await startTestConsole({}, { agent: { openVnc: slow, openSerial: slow } });
    const client = it.open("/api/vms/7/vnc");
    client.on("error", () => {});
    await until("the agent is asked", () => connect !== undefined);
    client.terminate();
    connect?.(byteStreamOf(upstream));
    await until("the VM's connection is closed", () => upstream.destroyed);
  });

  test("of the sub-protocols only `binary` is spoken", async () => {
    it = await startTestConsole();
    expect((await opened(it.open("/api/vms/7/vnc", asAda, ["base64", "binary"]))).protocol).toBe("binary");
    expect((await opened(it.open("/api/vms/7/vnc"))).protocol).toBe("");
  });
});

describe("limits", () => {
  test("one user can't open more than the limit, and can again after closing one", async () => {
    it = await startTestConsole({ maxPerUser: 2 });
    const first = await opened(it.open("/api/vms/7/vnc"));
    await opened(it.open("/api/vms/7/serial"));
    expect((await it.ask("/api/vms/7/vnc")).status).toBe(429);
    it.vms.set(9, "bob");
    expect((await it.ask("/api/vms/9/vnc", { headers: { authorization: "Bearer bob" } })).status).toBe(101);
    first.close();
    await closed(first);
    await until("the VM's connection is closed", () => it.machines[0]?.destroyed === true);
    await expect.poll(async () => (await it.ask("/api/vms/7/vnc")).status).toBe(101);
  });

  test("a refused upgrade takes no slot", async () => {
    it = await startTestConsole({ maxPerUser: 1, maxOpen: 1 });
    for (let i = 0; i < 5; i += 1) expect((await it.ask("/api/vms/8/vnc")).status).toBe(409);
    expect((await it.ask("/api/vms/7/vnc")).status).toBe(101);
  });

  test("2,000 opens at once don't hurt: the limit is kept, all are answered, and the next one works", async () => {
    it = await startTestConsole({ maxOpen: 50, maxPerUser: 50, maxPending: 100 });
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => it.ask("/api/vms/7/vnc")));
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect(count(101)).toBe(50);
    expect(count(429) + count(503)).toBe(1_950);
    expect(it.machines).toHaveLength(50);
    it.machines[0]?.end();
    await until("the VM's connection is closed", () => it.machines[0]?.destroyed === true);
    await expect.poll(async () => (await it.ask("/api/vms/7/vnc")).status).toBe(101);
  });
});

describe("when the right ends", () => {
  test("a signed-out user's console is cut as soon as that is announced", async () => {
    it = await startTestConsole();
    const client = await opened(it.open("/api/vms/7/vnc"));
    it.users.clear();
    it.changed();
    expect(await closed(client)).toEqual({ code: closeCodes.denied, reason: "Your access to this console has ended." });
    await until("the VM's connection is closed", () => it.machines[0]?.destroyed === true);
  });

  test("a deleted VM's console is cut by the timer when no change is announced", async () => {
    it = await startTestConsole({ rightsIntervalMs: 20 });
    const client = await opened(it.open("/api/vms/7/serial"));
    it.vms.delete(7);
    expect((await closed(client)).code).toBe(closeCodes.denied);
  });

  test("a console is not kept open by another's credentials", async () => {
    it = await startTestConsole();
    const client = await opened(it.open("/api/vms/7/vnc"));
    it.vms.set(7, "bob");
    it.users.set("Bearer ada", { kind: "token", userName: "bob" });
    it.changed();
    expect((await closed(client)).code).toBe(closeCodes.denied);
  });

  test("a change that takes nobody's right leaves consoles open", async () => {
    it = await startTestConsole();
    const client = await opened(it.open("/api/vms/7/vnc"));
    for (let i = 0; i < 10; i += 1) it.changed();
    it.machines[0]?.write("still here");
    const [data] = await once(client, "message");
    expect(String(data)).toBe("still here");
  });

  test("a database that is away for a while ends no console; for too long it does", async () => {
    it = await startTestConsole({ maxUncertainChecks: 3, rightsIntervalMs: 60_000 });
    const client = await opened(it.open("/api/vms/7/vnc"));
    const warned = (count: number) => until(`${count} warnings`, () => it.warnings.length === count);
    it.isDatabaseAway = true;
    it.changed();
    await warned(1);
    it.changed();
    await warned(2);
    it.isDatabaseAway = false;
    it.changed();
    it.machines[0]?.write("still here");
    await once(client, "message");
    it.isDatabaseAway = true;
    const ended = closed(client);
    for (const count of [3, 4, 5]) {
      it.changed();
      await warned(count);
    }
    expect((await ended).code).toBe(closeCodes.denied);
  });
});

test("a restarting server says so to all browsers", async () => {
  it = await startTestConsole();
  const client = await opened(it.open("/api/vms/7/vnc"));
  it.closeConsoles();
  expect((await closed(client)).code).toBe(closeCodes.restarting);
});
