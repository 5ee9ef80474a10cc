import fc from "fast-check";
import { expect, test } from "vitest";
import { quantile, sampleOf } from "./stats";

test("an odd number of values has its middle one as median, an even number the mean of the two", () => {
  expect(sampleOf([9, 1, 5])).toMatchObject({ median: 5, count: 3 });
  expect(sampleOf([4, 1, 2, 3])).toMatchObject({ median: 2.5, low: 1.75, high: 3.25 });
});

test("one value is its own median and has no spread", () => {
  expect(sampleOf([7])).toEqual({ median: 7, low: 7, high: 7, count: 1 });
});

test("a single outlier doesn't move the median", () => {
  expect(sampleOf([3, 3, 3, 3, 900]).median).toBe(3);
});

test("no values have no quantile", () => {
  expect(() => quantile([], 0.5)).toThrow("no quantile");
});

test("quantiles grow with the share, and lie within the values", () => {
  const shares = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), shares, (values, [a, b]) => {
      const [lower, upper] = [quantile(values, Math.min(a, b)), quantile(values, Math.max(a, b))];
      expect(lower).toBeLessThanOrEqual(upper + 1e-6);
      expect(lower).toBeGreaterThanOrEqual(Math.min(...values));
      expect(upper).toBeLessThanOrEqual(Math.max(...values));
    }),
  );
});
