import { expect, test } from "vitest";
import { nameFromArchive } from "./nameFromArchive";

test.each([
  ["web-1.tar", "web-1"],
  ["web-1 (2).tar", "web-1"],
  ["web-1(2).tar", "web-1"],
  ["Web-1.TAR", "web-1"],
  ["web-1-before-the-upgrade.tar", "web-1-before-the-upgrade"],
  ["my backup.tar", ""],
  [".tar", ""],
])("the name of %s is %o", (fileName, name) => {
  expect(nameFromArchive(fileName)).toBe(name);
});
