import { describe, expect, test } from "vitest";
import { emptyFirstBootReport } from "../domain/firstBootReport";
import type { UserInterface } from "../domain/machine";
import { fakeSpec } from "./fakeHost";
import {
  initialState,
  type MachineState,
  machineStateSchema,
  observationOf,
  withEnd,
  withNewBoot,
  withOperation,
  withoutProcess,
} from "./machineState";

const now = "2030-01-01T00:00:00.000Z";
const running: MachineState = {
  ...withNewBoot(initialState(now), "start"),
  intent: "running",
  hostBootId: "boot-1",
  process: { pid: 7, startTime: "1" },
};

describe("a VM whose QEMU isn't there when the agent comes back", () => {
  test("has crashed when it should run", () => {
    expect(withoutProcess(running, "boot-1", " It said: bye")).toMatchObject({
      intent: "stopped",
      process: null,
      ended: { state: "crashed", stoppedBy: null, reason: expect.stringContaining("bye") },
    });
  });

  test("was stopped by the host when that was switched off since", () => {
    expect(withoutProcess(running, "boot-2", "")).toMatchObject({
      ended: { state: "stopped", stoppedBy: "host-reboot" },
    });
  });

  test("is as it was when the agent ended before it started QEMU", () => {
    const before = withEnd(initialState(now), { state: "stopped", stoppedBy: "guest", reason: null });
    const begun: MachineState = { ...withNewBoot(before, "start"), intent: "running", process: null };
    expect(withoutProcess(begun, "boot-1", "")).toMatchObject({ intent: "stopped", ended: before.ended });
  });

  test("is as its end was noted when that had begun", () => {
    const ending = withEnd(running, { state: "stopped", stoppedBy: "request", reason: null });
    expect(withoutProcess(ending, "boot-1", "")).toMatchObject({ ended: { stoppedBy: "request" }, process: null });
  });
});

test("a reset keeps when the disk was made and QEMU started, a start only the disk's, and both end what was pending", () => {
  const milestones = { disk: now, started: now, kernel: now, ssh: now };
  const complaint = { ...emptyFirstBootReport, errors: [{ module: "runcmd", lines: ["no"] }] };
  const state: MachineState = { ...running, milestones, pending: { act: "shutdown" }, firstBoot: complaint };
  expect(withNewBoot(state, "reset")).toMatchObject({
    milestones: { disk: now, started: now },
    bootCount: 2,
    pending: null,
  });
  expect(withNewBoot(state, "start").milestones).toEqual({ disk: now });
  expect(withNewBoot(state, "start").firstBoot).toEqual(emptyFirstBootReport);
});

test("the newest operations are remembered, and only so many", () => {
  let state = running;
  for (let id = 1; id <= 100; id += 1) state = withOperation(state, id);
  expect(state.operationIds).toHaveLength(64);
  expect(state.operationIds.at(-1)).toBe(100);
});

test("what is seen of a VM that runs is as old as QEMU's last answer; of one that is off, of now", () => {
  const spec = fakeSpec(1);
  const live = { state: "running" as const, reason: null, seenAt: "2029-12-31T23:59:59.000Z" };
  expect(observationOf(spec, running, live, now)).toMatchObject({ state: "running", observedAt: live.seenAt, pid: 7 });
  expect(observationOf(spec, { ...running, process: null }, null, now)).toMatchObject({ observedAt: now, pid: null });
});

test("a VM is connected as its QEMU was started, whatever a newer spec says; one that is off isn't", () => {
  const live = { state: "running" as const, reason: null, seenAt: now };
  const user = fakeSpec(1);
  const [{ sshHostPort: _, ...link }] = user.interfaces as [UserInterface];
  const bridge = fakeSpec(1, { interfaces: [{ ...link, driver: "bridge" }] });
  for (const spec of [user, bridge]) {
    const linkOf = (sshHostPort: number | null) => observationOf(spec, { ...running, sshHostPort }, live, now).link;
    expect(linkOf(22_001)).toEqual({ driver: "user", host: "127.0.0.1", port: 22_001 });
    expect(linkOf(null)).toEqual({ driver: "bridge", host: link.ipv4, port: 22 });
    const cut = observationOf(spec, { ...running, sshHostPort: 22_001, isRestricted: true }, live, now);
    expect(cut.link).toEqual({ driver: "user", host: "127.0.0.1", port: 22_001, isRestricted: true });
    expect(observationOf(spec, running, null, now).link).toBeNull();
  }
});

test("a guest that an earlier version noted as held may be frozen, since that didn't tell", () => {
  const { mayBeFrozen, ...noted } = running;
  expect(mayBeFrozen).toBe(false);
  expect(machineStateSchema.parse({ ...noted, isHeld: true }).mayBeFrozen).toBe(true);
  expect(machineStateSchema.parse({ ...noted, isHeld: false }).mayBeFrozen).toBe(false);
  expect(machineStateSchema.parse({ ...running, isHeld: true }).mayBeFrozen).toBe(false);
});
