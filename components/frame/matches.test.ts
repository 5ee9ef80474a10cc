import { expect, test } from "vitest";
import { matches } from "./matches";

const texts = ["old web-1", "web-1 running", "web-2 stopped", "Shut down web-1"];
const find = (query: string, limit = 10) => matches(texts, query, (text) => text, limit);

test("all words must occur, in any order and case", () => {
  expect(find("WEB run")).toEqual(["web-1 running"]);
  expect(find("web-1 down")).toEqual(["Shut down web-1"]);
  expect(find("web-3")).toEqual([]);
});

test("what begins with the query comes first", () => {
  expect(find("web-1")).toEqual(["web-1 running", "old web-1", "Shut down web-1"]);
});

test("an empty query keeps the order, up to the limit", () => {
  expect(find(" ", 2)).toEqual(["old web-1", "web-1 running"]);
});
