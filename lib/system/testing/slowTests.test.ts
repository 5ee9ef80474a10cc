import { expect, test } from "vitest";
import { chosenCases } from "./slowTests";

test("every place is walked, and every act, also one that others leave no place", () => {
  const actsOf = { first: ["take"], second: ["take", "restore", "remove", "fold"], third: ["take"], fourth: [] };
  const cases = chosenCases(actsOf);
  expect(new Set(cases.map(([place]) => place))).toEqual(new Set(["first", "second", "third"]));
  expect(new Set(cases.map(([, act]) => act))).toEqual(new Set(["take", "restore", "remove", "fold"]));
});
