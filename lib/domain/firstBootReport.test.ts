import { describe, expect, test } from "vitest";
import { emptyFirstBootReport, firstBootFailure, withKeyUser, withProblem, withStage } from "./firstBootReport";

const failed = (module: string, ...lines: string[]) => ({ module, lines });

describe("a first boot's report", () => {
  test("keeps the earliest time of a stage, and is the same object when nothing is new", () => {
    const once = withStage(emptyFirstBootReport, "init", "2030-01-01T00:00:02.000Z");
    expect(withStage(once, "init", "2030-01-01T00:00:03.000Z")).toBe(once);
    expect(withStage(once, "init", "2030-01-01T00:00:01.000Z").stages.init).toBe("2030-01-01T00:00:01.000Z");
  });

  test("has one entry a module, with its lines once; what failed doesn't also complain", () => {
    let report = withProblem(emptyFirstBootReport, "warnings", failed("apt", "slow"));
    report = withProblem(report, "errors", failed("apt", "slow", "gone"));
    report = withProblem(report, "errors", failed("apt", "gone", "for good"));
    expect(report).toEqual({ stages: {}, warnings: [], errors: [failed("apt", "slow", "gone", "for good")] });
    expect(withProblem(report, "errors", failed("apt", "gone"))).toBe(report);
  });

  test("has each user with keys once, and nothing that is no user's name", () => {
    let report = emptyFirstBootReport;
    for (const name of ["debian", "ada", "debian", "-oProxyCommand=x", "a b", ""]) report = withKeyUser(report, name);
    expect(report.keyUsers).toEqual(["debian", "ada"]);
    expect(withKeyUser(report, "ada")).toBe(report);
    for (let index = 0; index < 200; index += 1) report = withKeyUser(report, `user${index}`);
    expect(report.keyUsers).toHaveLength(40);
  });

  test("has an end, however much a guest says", () => {
    let report = emptyFirstBootReport;
    for (let index = 0; index < 200; index += 1) {
      report = withProblem(report, "errors", failed(`m${index % 50}`, `${index}`.repeat(1000)));
      report = withProblem(report, "errors", failed("m0", `line ${index}`));
    }
    expect(report.errors).toHaveLength(20);
    expect(JSON.stringify(report).length).toBeLessThan(400_000);
    expect(report.errors.every(({ lines }) => lines.length <= 20)).toBe(true);
  });

  test("sums up as one sentence", () => {
    expect(firstBootFailure(emptyFirstBootReport)).toBeNull();
    const one = withProblem(emptyFirstBootReport, "errors", failed("runcmd", "exit status 3"));
    expect(firstBootFailure(one)).toBe("runcmd failed: exit status 3");
    const two = withProblem(one, "errors", failed("apt", "E: no", "E: never"));
    expect(firstBootFailure(two)).toBe("runcmd and apt failed. The timeline has what was said.");
  });
});
