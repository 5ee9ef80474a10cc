import { expect, test } from "vitest";
import type { CatalogueItem } from "../../../lib/domain/catalogueItem";
import { groupCatalogue } from "./groupCatalogue";

const item = (family: string, release: string, endOfLife: string | null, arch = "x86_64") =>
  ({ id: `${family}-${release}-${arch}`, os: { family, release }, arch, endOfLife }) as CatalogueItem;
const longLived = item("ubuntu", "26.04", "2031-04-30");
const longLivedArm = item("ubuntu", "26.04", "2031-04-30", "aarch64");
const interim = item("ubuntu", "26.10", "2027-07-01");
const earlier = item("ubuntu", "24.04", "2029-05-31");
const ended = item("ubuntu", "25.10", "2026-07-01");
const rolling = item("arch", "rolling", null);
const all = [ended, interim, longLived, longLivedArm, earlier, rolling];
const now = Date.parse("2026-11-01");
const shape = (...args: Parameters<typeof groupCatalogue>) =>
  groupCatalogue(...args).map(({ items }) => items.map(({ id }) => id));

test("of each system the release with the longest support comes first, then others, and last those without support", () => {
  expect(shape(all, all, now)).toEqual([
    [longLived.id, longLivedArm.id, rolling.id],
    [interim.id, earlier.id],
    [ended.id],
  ]);
});

test("a search changes nothing about what a system's best release is, and leaves no empty part", () => {
  expect(groupCatalogue([earlier], all, now)).toEqual([{ title: "Other releases", items: [earlier] }]);
  expect(groupCatalogue([], all, now)).toEqual([]);
});

test("a system whose releases have all ended has none to recommend", () => {
  expect(shape([ended], [ended], now)).toEqual([[ended.id]]);
  expect(groupCatalogue([ended], [ended], now)[0]?.title).toBe("No longer supported");
});
