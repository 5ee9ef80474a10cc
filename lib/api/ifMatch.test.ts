import { expect, test } from "vitest";
import { ifMatchOf } from "./ifMatch";

test.each([
  [undefined, null],
  ["*", null],
  ['"abc"', ["abc"]],
  ["abc", ["abc"]],
  ['"abc", "def"', ["abc", "def"]],
])("If-Match: %s is about the versions %j", (header, versions) => {
  expect(ifMatchOf({ headers: new Headers(header === undefined ? {} : { "if-match": header }) })).toEqual(versions);
});
