import { beforeEach, expect, test } from "vitest";
import { GIB, MIB } from "../../domain/units";
import { QmpError } from "../qmp/client";
import type { RunningQemu } from "../runningQemu";
import { type CopyWork, copyUntilHeld, sendRest } from "./memoryCopy";

interface Look {
  status: string;
  passes?: number;
  sentMiB?: number;
}

let asked: string[];
let turnOff: () => void;
beforeEach(() => {
  asked = [];
});

/** A QEMU that is a step further at each look; the last one stays. It says so at once, so that nobody waits. */
function scriptedQemu(looks: Look[], { kvm = true, goesOn = true } = {}): RunningQemu {
  const listeners = new Set<(event: { name: string }) => void>();
  const execute = async (command: string, args: Record<string, unknown> = {}) => {
    if (command === "query-status") return { status: "paused" };
    if (command === "query-kvm") return { enabled: kvm };
    if (command === "query-migrate-capabilities") return [];
    if (command === "query-migrate") {
      const { status, passes = 1, sentMiB = 0 } = (looks.length > 1 ? looks.shift() : looks[0]) ?? { status: "none" };
      queueMicrotask(() => {
        for (const listener of [...listeners]) listener({ name: "MIGRATION" });
      });
      const ram = { transferred: sentMiB * MIB, remaining: 0, total: GIB, "dirty-sync-count": passes };
      return { status, ram };
    }
    asked.push(command === "migrate-set-parameters" ? `limit ${args["downtime-limit"]}` : command);
    if (command === "cont" && !goesOn && !asked.includes("migrate_cancel")) throw new QmpError("refused", "Not now.");
    if (command === "migrate_cancel") looks.splice(0, looks.length, { status: "cancelled" });
    return {};
  };
  const onEvents = (listener: (event: { name: string }) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const status = async () => (goesOn ? "running" : "postmigrate");
  const qemu = { hasEnded: false, isGuestOff: false, execute, onEvents, status };
  turnOff = () => {
    qemu.isGuestOff = true;
  };
  return qemu as unknown as RunningQemu;
}

const work: CopyWork = {
  vm: { arch: "x86_64", memoryBytes: GIB },
  socketPath: "/run/memory",
  freeBytes: async () => 100 * GIB,
  report: () => {},
  meanwhile: () => {},
  signal: new AbortController().signal,
};
const pass = (passes: number, sentMiB: number): Look => ({ status: "active", passes, sentMiB });
const heldAt = (sentMiB: number): Look => ({ status: "pre-switchover", sentMiB });
const held = heldAt(0);

test("a guest may be held for longer, the more often it has changed what was sent", async () => {
  const qemu = scriptedQemu([pass(1, 100), pass(2, 200), pass(3, 210), pass(4, 220), pass(5, 230), pass(6, 240), held]);
  expect(await copyUntilHeld(qemu, work)).toBe(true);
  expect(asked).toEqual(["limit 2", "migrate", "limit 5", "limit 10", "limit 20", "limit 40"]);
});

test("an emulated guest stands still while QEMU begins to note what it changes, and QEMU looks no second time while it runs", async () => {
  const qemu = scriptedQemu([{ status: "setup" }, pass(1, 100), pass(1, 200), held], { kvm: false });
  expect(await copyUntilHeld(qemu, work)).toBe(true);
  expect(asked).toEqual(["limit 0", "stop", "migrate", "cont"]);
});

test.each([
  ["changes its memory faster than it is copied", [pass(1, 100), pass(2, 200), pass(3, 656), pass(4, 657)], 100 * GIB],
  ["is copied onto a disk that becomes too full", [pass(1, 100)], 399 * MIB],
  ["is copied to more than a copy may take", [pass(1, 1000), pass(2, 1050), pass(3, 2200)], 100 * GIB],
  ["is held when the copy may take no more", [heldAt(2200)], 100 * GIB],
])("a guest that %s runs on, and nothing more is sent", async (_, looks, freeBytes) => {
  const qemu = scriptedQemu([...looks, held]);
  expect(await copyUntilHeld(qemu, { ...work, freeBytes: async () => freeBytes })).toBe(false);
  expect(asked.at(-1)).toBe("migrate_cancel");
});

test("an emulated guest is not held for a rest that the disk may have no room for", async () => {
  const looks = () => [{ status: "setup" }, pass(1, 10), heldAt(300)];
  const withRoom = (freeBytes: number) =>
    copyUntilHeld(scriptedQemu(looks(), { kvm: false }), { ...work, freeBytes: async () => freeBytes });
  expect(await withRoom(GIB)).toBe(false);
  expect(asked.at(-1)).toBe("migrate_cancel");
  expect(await withRoom(2 * GIB)).toBe(true);
});

test("an emulated guest of which all was sent before it went on needs no room for more, and goes on where there is none at all", async () => {
  const looks = () => [{ status: "setup" }, heldAt(300)];
  const withRoom = (freeBytes: number) =>
    copyUntilHeld(scriptedQemu(looks(), { kvm: false, goesOn: false }), { ...work, freeBytes: async () => freeBytes });
  expect(await withRoom(100 * MIB)).toBe(true);
  expect(await withRoom(MIB)).toBe(false);
  expect(asked.slice(-2)).toEqual(["migrate_cancel", "cont"]);
});

test("a guest that turns itself off while it is copied is not held as one that runs", async () => {
  const qemu = scriptedQemu([pass(1, 100), held]);
  const report = () => turnOff();
  await expect(copyUntilHeld(qemu, { ...work, report })).rejects.toMatchObject({ code: "conflict" });
});

test("a copy that is no longer wanted ends at the next look", async () => {
  const abort = new AbortController();
  const qemu = scriptedQemu([pass(1, 100), held]);
  abort.abort(new Error("cancelled"));
  await expect(copyUntilHeld(qemu, { ...work, signal: abort.signal })).rejects.toThrow("cancelled");
});

test("a rest that was not sent to its end is no memory", async () => {
  await expect(sendRest(scriptedQemu([{ status: "device" }, { status: "cancelled" }]))).rejects.toThrow(/gave up/);
  await sendRest(scriptedQemu([{ status: "device" }, { status: "completed" }]));
});
