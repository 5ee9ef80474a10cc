import { expect, test } from "vitest";
import { monogramOf } from "./monogram";

test("a monogram is short and tells releases apart", () => {
  const cases = {
    "Cumulus mini": "Cm",
    "Debian 12 (bookworm)": "D12",
    "Ubuntu 24.04 LTS": "U24",
    Alpine: "Al",
    X: "X",
    "": "",
  };
  for (const [title, monogram] of Object.entries(cases)) expect(monogramOf(title)).toBe(monogram);
});
