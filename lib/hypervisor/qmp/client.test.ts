import { afterEach, describe, expect, test } from "vitest";
import { ScriptedServer } from "../testing/scriptedServer";
import { until } from "../testing/until";
import { QmpClient, type QmpEvent } from "./client";
import { Monitor } from "./monitor";

const greeting = { QMP: { version: {}, capabilities: [] } };
const uuid = "2f1f0b6e-8d1e-4d4e-9d55-0c2b8a0c8a01";
const servers: ScriptedServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A QMP server; `answer` gives the reply to a command, or null for none. */
async function qmpServer(
  answer: (command: string) => object | null,
  greet: (say: (message: object) => void) => void = (say) => say(greeting),
): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(greet, ({ execute = "", id }, say) => {
    const known: Record<string, object> = { qmp_capabilities: {}, "query-uuid": { UUID: uuid } };
    const value = known[execute] ? { return: known[execute] } : answer(execute);
    if (value !== null) say({ ...value, id });
  });
  servers.push(server);
  return server;
}

const ignore = { onEvent: () => {}, onClose: () => {} };

describe("a QMP client", () => {
  test("gives up on a server that takes the connection and never greets", async () => {
    const { path } = await qmpServer(
      () => null,
      () => {},
    );
    await expect(QmpClient.connect(path, ignore, 50)).rejects.toMatchObject({ kind: "timeout" });
  });

  test("gives up on a server that greets and doesn't negotiate", async () => {
    const server = await ScriptedServer.start(
      (say) => say(greeting),
      () => {},
    );
    servers.push(server);
    await expect(QmpClient.connect(server.path, ignore, 50)).rejects.toMatchObject({ kind: "timeout" });
  });

  test("rejects where nobody listens, and where something else answers", async () => {
    await expect(QmpClient.connect("/nonexistent/qmp.sock", ignore, 1000)).rejects.toMatchObject({ kind: "closed" });
    const { path } = await qmpServer(
      () => null,
      (say) => say([1]),
    );
    await expect(QmpClient.connect(path, ignore, 1000)).rejects.toMatchObject({ kind: "closed" });
  });

  test("answers each command with its own reply, and refusals in QEMU's words", async () => {
    const { path } = await qmpServer((command) =>
      command === "bad" ? { error: { class: "GenericError", desc: "no such thing" } } : { return: command },
    );
    const client = await QmpClient.connect(path, ignore, 1000);
    expect(await Promise.all([client.execute("a"), client.execute("b")])).toEqual(["a", "b"]);
    await expect(client.execute("bad")).rejects.toMatchObject({ kind: "refused", message: /no such thing/ });
    client.close();
    await expect(client.execute("a")).rejects.toMatchObject({ kind: "closed" });
  });

  test("drops an answer that comes after its deadline, and goes on", async () => {
    let late: (() => void) | null = null;
    const server = await ScriptedServer.start(
      (say) => say(greeting),
      ({ execute, id }, say) => {
        if (execute === "slow") late = () => say({ return: "late", id });
        else {
          late?.();
          say({ return: execute, id });
        }
      },
    );
    servers.push(server);
    const client = await QmpClient.connect(server.path, ignore, 1000);
    await expect(client.execute("slow", {}, 30)).rejects.toMatchObject({ kind: "timeout" });
    expect(await client.execute("next")).toBe("next");
    client.close();
  });

  test("tells events in order, however they are cut into packets", async () => {
    const server = await qmpServer(() => null);
    const seen: QmpEvent[] = [];
    const client = await QmpClient.connect(server.path, { ...ignore, onEvent: (event) => seen.push(event) }, 1000);
    const text = Array.from(
      { length: 100 },
      (_, index) => `${JSON.stringify({ event: "E", data: { index, ä: "ö" } })}\r\n`,
    );
    const bytes = Buffer.from(text.join(""));
    for (let at = 0; at < bytes.length; at += 7) server.connections[0]?.write(bytes.subarray(at, at + 7));
    await until(() => seen.length === 100);
    expect(seen.map(({ data }) => data)).toEqual(text.map((_, index) => ({ index, ä: "ö" })));
    client.close();
  });

  test("rejects what is under way when the connection ends, and says so once", async () => {
    const server = await qmpServer(() => null);
    let closed = 0;
    const client = await QmpClient.connect(server.path, { ...ignore, onClose: () => closed++ }, 1000);
    const answer = client.execute("query-status");
    server.connections[0]?.destroy();
    await expect(answer).rejects.toMatchObject({ kind: "closed" });
    client.close();
    expect(closed).toBe(1);
  });
});

describe("a monitor", () => {
  test("talks to no other VM's QEMU", async () => {
    const { path } = await qmpServer(() => ({ return: {} }));
    const monitor = new Monitor([path], "ffffffff-0000-4000-8000-000000000000", handlers([]));
    await expect(monitor.connect(1000)).rejects.toMatchObject({ kind: "refused" });
    monitor.close();
  });

  test("tells silence at the first question without an answer, and the status as soon as QEMU answers again", async () => {
    const { server, answers } = await hesitantServer();
    const told: string[] = [];
    let askedAtSilence = 0;
    const onSilent = () => {
      askedAtSilence ||= answers.length;
      told.push("silent");
    };
    const monitor = new Monitor([server.path], uuid, { ...handlers(told), onSilent });
    await monitor.connect(1000);
    await until(() => told[0] === "silent", 10_000);
    expect(askedAtSilence).toBe(1);
    // The first question has timed out; the one that is open now is answered late.
    await until(() => answers.length === 2);
    answers[1]?.();
    await until(() => told.at(-1) === "running");
    monitor.close();
  });

  test("waits longer for a status that an act asks for than it takes to tell silence", async () => {
    const { server, answers } = await hesitantServer();
    const told: string[] = [];
    const monitor = new Monitor([server.path], uuid, handlers(told));
    await monitor.connect(1000);
    const status = monitor.status();
    status.catch(() => undefined);
    await until(() => told[0] === "silent");
    answers[0]?.();
    expect(await status).toBe("running");
    monitor.close();
  });

  test("connects anew, by the second socket when the first is in use", async () => {
    const busy = await qmpServer(
      () => null,
      () => {},
    );
    const free = await qmpServer(() => ({ return: { status: "running" } }));
    const told: string[] = [];
    const monitor = new Monitor([busy.path, free.path], uuid, handlers(told));
    monitor.resume();
    await until(() => told.at(-1) === "running");
    free.connections[0]?.destroy();
    await until(() => told.at(-1) === "lost");
    monitor.resume();
    await until(() => told.at(-1) === "running");
    expect(busy.connections).toHaveLength(1);
    monitor.close();
  });

  /** A QEMU's, whose answers to the question for its status are given by the test. */
  async function hesitantServer() {
    const answers: (() => void)[] = [];
    const server = await ScriptedServer.start(
      (say) => say(greeting),
      ({ execute, id }, say) => {
        if (execute === "query-uuid") say({ return: { UUID: uuid }, id });
        else if (execute === "query-status") answers.push(() => say({ return: { status: "running" }, id }));
        else say({ return: {}, id });
      },
    );
    servers.push(server);
    return { server, answers };
  }

  function handlers(told: string[]) {
    return {
      onStatus: (status: string) => told.push(status),
      onEvent: () => {},
      onSilent: () => told.push("silent"),
      onLost: () => told.push("lost"),
    };
  }
});
