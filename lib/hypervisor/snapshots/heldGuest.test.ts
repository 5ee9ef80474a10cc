import { afterEach, beforeEach, expect, test } from "vitest";
import { GuestAgent } from "../guest/guestAgent";
import type { RunningQemu } from "../runningQemu";
import { ScriptedServer } from "../testing/scriptedServer";
import { until } from "../testing/until";
import { releaseGuest, thawWhenAnswering, withFrozenFileSystems } from "./heldGuest";

let server: ScriptedServer;
let agent: GuestAgent;
/** As the guest's agent has it. */
let isFrozen: boolean;
let asked: string[];
/** What it says to a freeze. */
let frozen: object;

beforeEach(async () => {
  isFrozen = false;
  asked = [];
  frozen = { return: 2 };
  server = await ScriptedServer.start(
    () => {},
    ({ execute = "", ...command }: { execute?: string; arguments?: { id?: number } }, say) => {
      if (execute === "guest-sync-delimited") return say({ return: command.arguments?.id });
      asked.push(execute);
      if (execute === "guest-fsfreeze-status") return say({ return: isFrozen ? "frozen" : "thawed" });
      isFrozen = execute === "guest-fsfreeze-freeze";
      say(isFrozen ? frozen : { return: 2 });
    },
  );
  agent = new GuestAgent(server.path, () => {});
  await until(() => agent.isAlive);
});
afterEach(async () => {
  agent.close();
  await server.close();
});

const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const freezeAndThaw = ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"];

test("an act is carried out with the file systems frozen, and they are thawed when it is done", async () => {
  const done = await withFrozenFileSystems(agent, log, async () => isFrozen);
  expect(done).toEqual({ value: true, wasFrozen: true });
  expect(isFrozen).toBe(false);
  expect(asked).toEqual(freezeAndThaw);
});

test("they are thawed when the act throws", async () => {
  const failing = withFrozenFileSystems(agent, log, async () => {
    throw new Error("The disk is full.");
  });
  await expect(failing).rejects.toThrow("The disk is full.");
  expect(isFrozen).toBe(false);
  expect(asked).toEqual(freezeAndThaw);
});

test("they are thawed while the act hangs, and once only; what came of it is not called frozen", async () => {
  const untilThawed = async () => {
    expect(isFrozen).toBe(true);
    await until(() => !isFrozen);
    return "at last";
  };
  expect(await withFrozenFileSystems(agent, log, untilThawed, 50)).toEqual({ value: "at last", wasFrozen: false });
  expect(asked).toEqual(freezeAndThaw);
});

test("an act is carried out in a guest that says it could not freeze all, and what it froze is thawed then", async () => {
  frozen = { error: { class: "GenericError", desc: "failed to freeze /data" } };
  expect(await withFrozenFileSystems(agent, log, async () => "done")).toEqual({ value: "done", wasFrozen: false });
  expect(isFrozen).toBe(true);
  expect(await thawWhenAnswering(() => agent)).toBe(true);
  expect(isFrozen).toBe(false);
});

test("a guest that is not frozen is left alone, and one that others have to do with now is no longer asked", async () => {
  expect(await thawWhenAnswering(() => agent)).toBe(true);
  isFrozen = true;
  const agents = [agent, null];
  expect(await thawWhenAnswering(() => agents.shift() ?? null)).toBe(false);
  expect(isFrozen).toBe(true);
  expect(asked).toEqual(["guest-fsfreeze-status", "guest-fsfreeze-status"]);
});

test("without an agent the act is carried out", async () => {
  expect(await withFrozenFileSystems(null, log, async () => "done")).toEqual({ value: "done", wasFrozen: false });
});

/** A QEMU that sends a guest's memory until it is told to end, or it is asked a second time. */
function sendingQemu({ isWatching, status }: { isWatching: boolean; status: string }) {
  const asked: string[] = [];
  const answers = [{ status: "active" }, { status: "completed" }];
  const execute = async (command: string) => {
    if (command === "query-status") return { status };
    if (command === "query-migrate-capabilities") return [{ capability: "background-snapshot", state: isWatching }];
    asked.push(command);
    return command === "query-migrate" ? (answers.shift() ?? {}) : {};
  };
  const qemu = { hasEnded: false, status: async () => status, execute, onEvents: () => () => {} };
  return { asked, qemu: qemu as unknown as RunningQemu };
}

test("a guest that an agent before this one held, memory on its way that QEMU watches, is left to it, and goes on after that", async () => {
  const { asked, qemu } = sendingQemu({ isWatching: true, status: "paused" });
  expect(await releaseGuest(qemu)).toBe(false);
  expect(asked).toEqual(["query-migrate"]);
  expect(await releaseGuest(qemu)).toBe(true);
  expect(asked).toEqual(["query-migrate", "query-migrate", "cont"]);
});

test.each([
  ["stands still for it goes on at once", "paused", ["cont"]],
  ["runs while it is copied is not held at the end of that", "running", []],
])("a guest that an agent before this one held, memory on its way, and that %s", async (_, status, last) => {
  const { asked, qemu } = sendingQemu({ isWatching: false, status });
  expect(await releaseGuest(qemu)).toBe(true);
  expect(asked).toEqual(["query-migrate", "migrate_cancel", "query-migrate", ...last]);
});
