import { expect, test } from "vitest";
import type { Figure } from "./benchmark";
import { jsonOf, tableOf } from "./report";
import { sampleOf } from "./stats";

const boot: Figure = {
  name: "Create to SSH",
  unit: "s",
  value: sampleOf([4.4, 4.2, 4.3]),
  baseline: { what: "by hand", value: sampleOf([4, 4, 4]) },
  target: { of: "ratio", atMost: 1.1 },
};
const memory: Figure = { name: "Memory", unit: "MiB", value: sampleOf([312]), target: { of: "value", atMost: 250 } };

test("columns are aligned, and a missed target stands out", () => {
  expect(tableOf([boot, memory])).toBe(
    `
               value               baseline                    ratio  target       met
Create to SSH  4.30 s (4.25–4.35)  4.00 s (4.00–4.00) by hand  1.07   ratio ≤ 1.1  yes
Memory         312 MiB             –                           –      ≤ 250 MiB    NO`.slice(1),
  );
});

test("what can't be measured here says why, and is no figure", () => {
  const lines = tableOf([memory, { name: "websockify", skipped: "Install it." }]).split("\n");
  expect(lines.at(-1)).toBe("websockify: skipped. Install it.");
  expect(lines).toHaveLength(3);
});

test("a target can be a bound from below, and a strict one", () => {
  const against = (target: Figure["target"], value: number): Figure => ({
    name: "Throughput",
    unit: "MiB/s",
    value: sampleOf([value]),
    baseline: { what: "direct", value: sampleOf([100]) },
    target,
  });
  const verdicts = jsonOf([
    against({ of: "ratio", atLeast: 0.8 }, 80),
    against({ of: "ratio", atLeast: 0.8 }, 79),
    against({ of: "ratio", above: 1 }, 100),
    against({ of: "ratio", above: 1 }, 101),
    against(undefined, 101),
  ]).map((figure) => (figure as { isMet: boolean | null }).isMet);
  expect(verdicts).toEqual([true, false, false, true, null]);
});

test("a target for a ratio without a baseline is a mistake of the benchmark's, not a verdict", () => {
  expect(() => tableOf([{ ...memory, target: { of: "ratio", atMost: 1 } }])).toThrow("no baseline");
});
