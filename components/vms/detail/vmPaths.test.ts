import { expect, test } from "vitest";
import { isConsolePath, parseVmId, tabsOf } from "./vmPaths";

test("only a positive whole number names a VM", () => {
  expect(parseVmId("12")).toBe(12);
  for (const text of ["", "0", "-1", "1.5", "abc", "1e3", "012", "99999999999999999999"]) {
    expect(parseVmId(text), text).toBeNull();
  }
});

test("of a VM's tabs, console and serial are the guest's", () => {
  const consoles = tabsOf(7).filter(({ href }) => isConsolePath(href));
  expect(consoles.map(({ label }) => label)).toEqual(["Console", "Serial"]);
});
