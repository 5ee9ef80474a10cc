import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatVmQuery, parseVmQuery } from "./useVmQuery";
import { vmSortKeys } from "./vmQuery";

describe("the list's address", () => {
  test("brings back any search, order and page", () => {
    const query = fc.record({
      search: fc.string({ unit: "grapheme", maxLength: 30 }),
      sort: fc.record({ key: fc.constantFrom(...vmSortKeys), descending: fc.boolean() }),
      page: fc.integer({ min: 1, max: 500 }),
    });
    fc.assert(
      fc.property(query, (given) => {
        expect(parseVmQuery(new URLSearchParams(formatVmQuery(given)))).toEqual(given);
      }),
    );
  });

  test("is empty for what the list shows unasked, and nonsense in it is ignored", () => {
    const unasked = parseVmQuery(new URLSearchParams());
    expect(formatVmQuery(unasked)).toBe("");
    expect(parseVmQuery(new URLSearchParams("sort=colour.desc&page=-3"))).toEqual(unasked);
    expect(parseVmQuery(new URLSearchParams("page=many"))).toEqual(unasked);
  });
});
