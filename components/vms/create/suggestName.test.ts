import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vmNameSchema } from "../../../lib/domain/vm";
import { suggestName } from "./suggestName";

describe("a suggested name", () => {
  test("is always a valid hostname, whatever the dice say", () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(chance, chance, (first, second) => {
        const dice = [first, second];
        const name = suggestName(new Set(), () => dice.shift() ?? 0);
        expect(vmNameSchema.safeParse(name).success).toBe(true);
      }),
    );
  });

  test("is never one that is taken", () => {
    const taken = new Set<string>();
    for (let count = 0; count < 5; count++) {
      const name = suggestName(taken, () => 0.3);
      expect(taken.has(name)).toBe(false);
      expect(vmNameSchema.safeParse(name).success).toBe(true);
      taken.add(name);
    }
  });
});
