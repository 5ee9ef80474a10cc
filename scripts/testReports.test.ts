import { join } from "node:path";
import { expect, test } from "vitest";
import { projectDir } from "../lib/paths";
import { outcomeOfPlaywright, outcomeOfVitest } from "./setup/testReports.mjs";

const passed = { status: "passed", fullName: "adds", failureMessages: [] };

test("of vitest's report each failed test is named with its reason, and a file that failed in a hook counts as one", () => {
  const failed = { status: "failed", fullName: "sums big ones", failureMessages: ["Error: 3 is not 4\n\n    at x"] };
  const file = (name: string, results: object[], message = "") => ({
    ...{ name: join(projectDir, name), status: "failed", message, assertionResults: results },
  });
  const testResults = [
    { ...file("lib/a.test.ts", [passed]), status: "passed" },
    file("lib/b.test.ts", [passed, failed]),
    file("lib/c.test.ts", [{ ...passed, status: "skipped" }], "no host"),
  ];
  expect(outcomeOfVitest({ numPassedTests: 2, testResults })).toEqual({
    passed: 2,
    failures: [
      "lib/b.test.ts > sums big ones\n    Error: 3 is not 4\n        at x",
      "lib/c.test.ts > outside its tests\n    no host",
    ],
  });
});

test("of Playwright's report each failed test is named with its reason, in whichever group it is", () => {
  const spec = { file: "a.spec.ts", title: "clicks", ok: true, tests: [] };
  const bad = {
    ...{ file: "a.spec.ts", title: "types", ok: false },
    tests: [{ results: [{ error: { message: "Timeout" } }] }],
  };
  const suites = [{ specs: [spec], suites: [{ specs: [bad] }] }];
  const stats = { expected: 1, flaky: 0, unexpected: 1 };
  expect(outcomeOfPlaywright({ stats, suites, errors: [{ message: "no browser" }] })).toEqual({
    passed: 1,
    failures: ["a.spec.ts > types\n    Timeout", "Playwright > outside its tests\n    no browser"],
  });
});
