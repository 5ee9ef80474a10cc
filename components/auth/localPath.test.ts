import { expect, test } from "vitest";
import { localPath } from "./localPath";

test.each(["/", "/vms/3", "/activity?vm=2#x"])("%s is a place to return to", (path) => {
  expect(localPath(path)).toBe(path);
});

test.each([
  undefined,
  "",
  "https://evil.test/",
  "//evil.test",
  "/\\evil.test",
  "/\t/evil.test",
  "\n//evil.test",
  "javascript:alert(1)",
  ["/a", "/b"],
])("%j never leads away", (path) => {
  expect(localPath(path)).toBe("/");
});
