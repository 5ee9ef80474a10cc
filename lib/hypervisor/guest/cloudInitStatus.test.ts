import { expect, test } from "vitest";
import { emptyFirstBootReport } from "../../domain/firstBootReport";
import { parseCloudInitStatus, withCloudInitStatus } from "./cloudInitStatus";

/** As cloud-init 22.4 writes it. */
const status = (final: object) => ({
  v1: {
    datasource: "DataSourceNoCloud [seed=/dev/vdb][dsmode=net]",
    init: { errors: [], finished: 1893456013.2, start: 1893456011.9 },
    "init-local": { errors: [], finished: 1893456009.1, start: 1893456008.3 },
    "modules-config": { errors: [], finished: 1893456018, start: 1893456016.1 },
    "modules-final": final,
    stage: null,
  },
});

const failed = status({
  errors: [
    "('scripts-user', RuntimeError('Runparts: 1 failures (runcmd) in 1 attempted commands'))",
    "something that is no pair",
  ],
  finished: 1893456025,
  start: 1893456019.7,
});

function reportOf(text: string, before = emptyFirstBootReport) {
  const parsed = parseCloudInitStatus(text);
  return parsed && withCloudInitStatus(before, parsed);
}

test("stages have their times, and failures their module", () => {
  expect(reportOf(JSON.stringify(failed))).toEqual({
    stages: {
      local: "2030-01-01T00:00:08.300Z",
      init: "2030-01-01T00:00:11.900Z",
      config: "2030-01-01T00:00:16.100Z",
      final: "2030-01-01T00:00:19.700Z",
    },
    warnings: [],
    errors: [
      {
        module: "scripts_user",
        lines: ["RuntimeError('Runparts: 1 failures (runcmd) in 1 attempted commands')"],
      },
      { module: "cloud_init final", lines: ["something that is no pair"] },
    ],
  });
});

test("what the console told stays: its times, and its lines of a failure", () => {
  const told = {
    stages: { local: "2030-01-01T00:00:07.000Z" },
    warnings: [],
    errors: [{ module: "scripts_user", lines: ["exit status 3"] }],
  };
  const report = reportOf(JSON.stringify(failed), told);
  expect(report?.stages.local).toBe(told.stages.local);
  expect(report?.errors[0]).toEqual(told.errors[0]);
});

test("is finished when the last stage is, and not before", () => {
  expect(parseCloudInitStatus(JSON.stringify(failed))?.isFinished).toBe(true);
  const running = status({ errors: [], finished: null, start: 1893456019.7 });
  expect(parseCloudInitStatus(JSON.stringify(running))?.isFinished).toBe(false);
});

test("newer versions tell what they went on after", () => {
  const recovered = status({
    errors: [],
    recoverable_errors: { WARNING: ["Failed posting event"], DEPRECATED: ["old key"] },
    finished: 1893456025,
    start: 1893456019.7,
  });
  expect(reportOf(JSON.stringify(recovered))?.warnings).toEqual([
    { module: "cloud_init", lines: ["Failed posting event"] },
  ]);
});

test("what a guest may write instead is no status", () => {
  const strange = ["", "{", "[]", '{"v1":7}', JSON.stringify(status({ start: 1e300 })), JSON.stringify(status([]))];
  for (const text of strange) expect(parseCloudInitStatus(text)).toBeUndefined();
});
