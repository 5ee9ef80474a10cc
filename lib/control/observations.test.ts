import { expect, test } from "vitest";
import type { Observation } from "../domain/machine";
import { isNewObservation } from "./observations";
import type { VmRow } from "./vms/view";

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`;

const seen: Observation = {
  id: 7,
  state: "running",
  observedAt: at(30),
  reason: null,
  stoppedBy: null,
  pid: 4711,
  bootCount: 1,
  milestones: { disk: at(1), started: at(2), kernel: at(3), ssh: at(5) },
  firstBoot: { stages: {}, warnings: [], errors: [] },
  cdromSha256: null,
  link: { driver: "bridge", host: "192.168.0.2", port: 22 },
  pendingAct: null,
};

/** As PostgreSQL gives the milestones back: jsonb sorts keys by their length. */
const row: Partial<VmRow> = {
  id: 7,
  observed: "running",
  observedReason: null,
  bootCount: 1,
  firstBootReport: { errors: [], stages: {}, warnings: [] },
  observedCdrom: null,
  observedLink: { host: "192.168.0.2", port: 22, driver: "bridge" },
  generation: 1,
  settledGeneration: 1,
  milestones: { ssh: at(5), disk: at(1), image: at(0), kernel: at(3), started: at(2), accepted: at(0) },
};

test("what was seen again is no news, in whichever order the database keeps it", () => {
  expect(isNewObservation(row as VmRow, seen)).toBe(false);
});

test.each<[string, Partial<Observation>]>([
  ["another state", { state: "paused" }],
  ["another way to it", { link: { driver: "user", host: "127.0.0.1", port: 22022 } }],
  ["a reason", { reason: "The disk of the host is full." }],
  ["another boot", { bootCount: 2 }],
  ["a further step of the boot", { milestones: { ...seen.milestones, "first-boot": at(4) } }],
  ["an error of the first boot", { firstBoot: { ...seen.firstBoot, errors: [{ module: "runcmd", lines: [] }] } }],
  ["a disc that is gone from the drive", { cdromSha256: "a" }],
])("%s is news", (_what, change) => {
  expect(isNewObservation(row as VmRow, { ...seen, ...change })).toBe(true);
});
