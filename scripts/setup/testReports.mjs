import { relative } from "node:path";
import { root } from "./root.mjs";

/**
 * What the reports of a run say: how many tests passed, and of each that failed its file, its name and its reason. A file that failed outside its tests, in a hook say,
 * counts as one. Types: testReports.d.mts.
 */

const reasonLines = 6;

/** Of vitest's reporter "json". */
export function outcomeOfVitest({ numPassedTests, testResults }) {
  const failures = testResults.flatMap(({ name: path, status, message, assertionResults }) => {
    const name = relative(root, path);
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (status === "failed" && failed.length === 0) return [described(name, "outside its tests", message)];
    return failed.map(({ fullName, failureMessages }) => described(name, fullName, failureMessages.join("\n")));
  });
  return { passed: numPassedTests, failures };
}

/** Of Playwright's reporter "json". */
export function outcomeOfPlaywright({ stats, suites, errors }) {
  const failures = specsIn(suites)
    .filter(({ ok }) => !ok)
    .map(({ file, title, tests }) => described(file, title, messageOf(tests)));
  const outside = errors.map(({ message }) => described("Playwright", "outside its tests", message));
  return { passed: stats.expected + stats.flaky, failures: [...failures, ...outside] };
}

function specsIn(suites) {
  return suites.flatMap(({ specs = [], suites: inner = [] }) => [...specs, ...specsIn(inner)]);
}

function messageOf(tests) {
  return tests
    .flatMap(({ results }) => results)
    .map(({ error }) => error?.message ?? "")
    .join("\n");
}

function described(file, test, reason = "") {
  const lines = reason.split("\n").filter((line) => line.trim() !== "");
  return [`${file} > ${test}`, ...lines.slice(0, reasonLines).map((line) => `    ${line}`)].join("\n");
}
