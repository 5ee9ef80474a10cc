import { describe, expect, test } from "vitest";
import { emptyFirstBootReport } from "./firstBootReport";
import type { Observation } from "./machine";
import { type Intent, nextStep, type PendingAct } from "./nextStep";
import { type Desired, type Observed, observedStates } from "./vmStatus";

const nowMs = 1_000_000;

function intent(desired: Desired, rest: Partial<Intent> = {}): Intent {
  return {
    desired,
    stopMode: "power-off",
    stopDeadlineAtMs: null,
    generation: 2,
    settledGeneration: 1,
    lastError: null,
    hasDisk: true,
    isHeld: false,
    cdromSha256: null,
    ...rest,
  };
}

function seen(state: Observed, rest: Partial<Observation> = {}): Observation {
  return {
    id: 1,
    state,
    observedAt: new Date(nowMs).toISOString(),
    reason: null,
    stoppedBy: state === "stopped" ? "request" : null,
    pid: null,
    bootCount: 3,
    milestones: {},
    firstBoot: emptyFirstBootReport,
    cdromSha256: null,
    link: null,
    pendingAct: null,
    ...rest,
  };
}

const kindOf = (...[wanted, observation, act]: [Intent, Observation, PendingAct?]) =>
  nextStep(wanted, observation, act ?? null, nowMs).kind;

describe("what is held by a restore", () => {
  const act: PendingAct = { operationId: 1, kind: "reboot", bootCountBefore: 3 };
  test.each(observedStates)("is left alone, whatever it is: %s", (state) => {
    for (const settledGeneration of [1, 2]) {
      const held = { isHeld: true, settledGeneration };
      expect(kindOf(intent("running", held), seen(state), act)).toBe("none");
      expect(kindOf(intent("stopped", held), seen(state))).toBe("none");
    }
  });

  test.each(observedStates)("is removed when it is to be gone: %s", (state) => {
    const wanted = intent("deleted", { isHeld: true });
    expect(kindOf(wanted, seen(state))).toBe(state === "absent" ? "finish-delete" : "remove");
  });
});

describe("what is to be gone", () => {
  test.each(observedStates)("is removed, whatever it is: %s", (state) => {
    expect(kindOf(intent("deleted"), seen(state))).toBe(state === "absent" ? "finish-delete" : "remove");
  });
});

describe("what is to run", () => {
  test("is made and started when it isn't there or off", () => {
    expect(kindOf(intent("running", { hasDisk: false }), seen("absent"))).toBe("ensure-and-start");
    expect(kindOf(intent("running"), seen("stopped"))).toBe("ensure-and-start");
  });

  test("gets no empty disk in the place of a lost one", () => {
    expect(kindOf(intent("running"), seen("absent"))).toBe("report-lost-disk");
  });

  test("is settled once it runs, and then left alone", () => {
    expect(kindOf(intent("running"), seen("running"))).toBe("settle");
    expect(kindOf(intent("running", { settledGeneration: 2 }), seen("running"))).toBe("none");
    expect(kindOf(intent("running", { settledGeneration: 2 }), seen("paused"))).toBe("none");
  });

  test("is not started again after a crash until someone asks", () => {
    expect(kindOf(intent("running", { settledGeneration: 2 }), seen("crashed"))).toBe("none");
    expect(kindOf(intent("running"), seen("crashed"))).toBe("ensure-and-start");
  });

  test("stays off when the guest turned itself off, comes back when the host was rebooted", () => {
    const settled = intent("running", { settledGeneration: 2 });
    expect(kindOf(settled, seen("stopped", { stoppedBy: "guest" }))).toBe("accept-guest-shutdown");
    expect(kindOf(settled, seen("stopped", { stoppedBy: "host-reboot" }))).toBe("ensure-and-start");
  });

  test("is not tried again after it failed for good, until someone asks", () => {
    const givenUp = intent("running", { settledGeneration: 2, lastError: "no space" });
    expect(kindOf(givenUp, seen("stopped"))).toBe("none");
    expect(kindOf({ ...givenUp, generation: 3, lastError: null }, seen("stopped"))).toBe("ensure-and-start");
  });
});

describe("what is to be off", () => {
  test("is settled when it is, and turned off when it isn't", () => {
    expect(kindOf(intent("stopped"), seen("stopped"))).toBe("settle");
    expect(kindOf(intent("stopped"), seen("absent"))).toBe("settle");
    for (const state of ["running", "paused", "crashed", "unresponsive"] as const) {
      expect(kindOf(intent("stopped"), seen(state))).toBe("stop");
    }
    expect(kindOf(intent("stopped", { settledGeneration: 2 }), seen("stopped"))).toBe("none");
  });

  test("is asked by ACPI once, waited for, and turned off at the deadline", () => {
    const acpi = intent("stopped", { stopMode: "acpi", stopDeadlineAtMs: nowMs + 5_000 });
    expect(kindOf(acpi, seen("running"))).toBe("shutdown");
    expect(nextStep(acpi, seen("running", { pendingAct: "shutdown" }), null, nowMs)).toEqual({
      kind: "wait",
      untilMs: nowMs + 5_000,
    });
    expect(nextStep(acpi, seen("running", { pendingAct: "shutdown" }), null, nowMs + 5_000).kind).toBe("stop");
    expect(kindOf(acpi, seen("paused"))).toBe("stop");
  });
});

describe("acts that happen once", () => {
  const settled = intent("running", { settledGeneration: 2 });
  const act = (kind: PendingAct["kind"]): PendingAct => ({ operationId: 9, kind, bootCountBefore: 3 });

  test("wait until the VM runs as asked", () => {
    expect(kindOf(intent("running"), seen("running"), act("reset"))).toBe("settle");
    expect(kindOf(settled, seen("stopped"), act("reset"))).toBe("ensure-and-start");
  });

  test("are done once and recognised as done from what is seen", () => {
    expect(kindOf(settled, seen("running"), act("reset"))).toBe("act");
    expect(kindOf(settled, seen("running", { bootCount: 4 }), act("reset"))).toBe("finish-act");
    expect(kindOf(settled, seen("running"), act("pause"))).toBe("act");
    expect(kindOf(settled, seen("paused"), act("pause"))).toBe("finish-act");
    expect(kindOf(settled, seen("running"), act("resume"))).toBe("finish-act");
  });

  const powerActs = ["reboot", "reset", "pause", "resume"] as const;

  test.each(powerActs)("%s fails when the VM is found off, crashed or failed for good", (kind) => {
    const off = intent("stopped", { settledGeneration: 2 });
    const failed = intent("running", { settledGeneration: 2, lastError: "no space" });
    expect(nextStep(off, seen("stopped", { stoppedBy: "guest" }), act(kind), nowMs)).toEqual({
      kind: "fail-act",
      operationId: 9,
    });
    expect(kindOf(off, seen("absent"), act(kind))).toBe("fail-act");
    expect(kindOf(settled, seen("crashed"), act(kind))).toBe("fail-act");
    for (const state of ["stopped", "crashed", "absent"] as const) {
      expect(kindOf(failed, seen(state), act(kind))).toBe("fail-act");
    }
  });

  test.each(powerActs)("%s waits for what is yet to be settled", (kind) => {
    expect(kindOf(settled, seen("stopped", { stoppedBy: "guest" }), act(kind))).toBe("accept-guest-shutdown");
    expect(kindOf(settled, seen("absent"), act(kind))).toBe("report-lost-disk");
    expect(kindOf(intent("running"), seen("crashed"), act(kind))).toBe("ensure-and-start");
    expect(kindOf(settled, seen("unresponsive"), act(kind))).toBe("none");
  });

  test("a reset after which the VM crashed was done", () => {
    expect(kindOf(settled, seen("crashed", { bootCount: 4 }), act("reset"))).toBe("finish-act");
  });

  test("a reboot that is under way is waited for", () => {
    expect(kindOf(settled, seen("running", { pendingAct: "reboot" }), act("reboot"))).toBe("none");
    expect(kindOf(settled, seen("running", { bootCount: 4 }), act("reboot"))).toBe("finish-act");
  });
});

describe("a CD-ROM drive", () => {
  const change: PendingAct = { operationId: 9, kind: "change-media", bootCountBefore: 0 };
  const withDisc = { settledGeneration: 2, cdromSha256: "a" };

  test.each(["stopped", "running", "paused", "crashed"] as const)("is changed while the VM is %s", (state) => {
    for (const desired of ["running", "stopped"] as const) {
      const given = state === "stopped" && desired === "running" ? "stopped" : desired;
      expect(kindOf(intent(given, withDisc), seen(state), change)).toBe("act");
      expect(kindOf(intent(given, { ...withDisc, lastError: "no space" }), seen(state), change)).toBe("act");
    }
  });

  test("is changed when the VM is where it is to be, and no sooner", () => {
    expect(kindOf(intent("running"), seen("running"), change)).toBe("settle");
    expect(kindOf(intent("running", withDisc), seen("unresponsive"), change)).toBe("none");
  });

  test("of a VM that was never made is left to its start; of one whose folder is away, it waits for that", () => {
    for (const lastError of [null, "no space"]) {
      const never = intent("stopped", { ...withDisc, hasDisk: false, lastError });
      expect(nextStep(never, seen("absent"), change, nowMs)).toEqual({ kind: "leave-change-to-start", operationId: 9 });
      expect(kindOf({ ...never, hasDisk: true }, seen("absent"), change)).toBe("none");
    }
    expect(kindOf(intent("running", { hasDisk: false }), seen("absent"), change)).toBe("ensure-and-start");
  });

  test("that the guest emptied is to be empty; one that is being filled is not taken for that", () => {
    expect(kindOf(intent("running", withDisc), seen("running"))).toBe("accept-guest-eject");
    expect(kindOf(intent("running", withDisc), seen("running"), change)).toBe("act");
    expect(kindOf(intent("running", withDisc), seen("running", { cdromSha256: "a" }))).toBe("none");
  });
});

test("whatever is wanted and seen, the way ends: no step is repeated when it had its effect", () => {
  for (const desired of ["running", "stopped", "deleted"] as const) {
    for (const start of observedStates) {
      let wanted = intent(desired, { hasDisk: start !== "absent" });
      let state: Observed = start;
      const steps: string[] = [];
      for (let count = 0; count < 10; count++) {
        const { kind } = nextStep(wanted, seen(state), null, nowMs);
        if (kind === "none" || kind === "wait" || kind === "finish-delete") break;
        steps.push(kind);
        if (kind === "ensure-and-start") state = "running";
        if (kind === "stop") state = "stopped";
        if (kind === "remove") state = "absent";
        if (kind === "settle") wanted = { ...wanted, settledGeneration: wanted.generation };
      }
      expect(steps.length, `${desired} from ${start}: ${steps.join(", ")}`).toBeLessThanOrEqual(3);
      expect(new Set(steps).size).toBe(steps.length);
    }
  }
});
