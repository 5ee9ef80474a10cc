import { expect, test } from "vitest";
import { childOf, downloadHref, filesHref, foldersOf } from "./guestPaths";

test("a path is told folder by folder", () => {
  expect(foldersOf("/")).toEqual([{ name: "/", path: "/" }]);
  expect(foldersOf("/etc/ssh/")).toEqual([
    { name: "/", path: "/" },
    { name: "etc", path: "/etc" },
    { name: "ssh", path: "/etc/ssh" },
  ]);
});

test("names with anything in them make addresses", () => {
  const path = childOf("/home", "a b&c=#?.txt");
  expect(path).toBe("/home/a b&c=#?.txt");
  expect(childOf("/", "etc")).toBe("/etc");
  expect(new URL(downloadHref(3, path), "http://x").searchParams.get("path")).toBe(path);
  expect(new URL(filesHref(3, path), "http://x").searchParams.get("path")).toBe(path);
});
