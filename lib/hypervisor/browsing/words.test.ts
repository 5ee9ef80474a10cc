import { expect, test } from "vitest";
import { parseFilesystems, parseMountpoints, parseStats, quoted } from "./words";

test("a name can't end its word or begin a command", () => {
  expect(quoted("/etc/hosts")).toBe('"/etc/hosts"');
  expect(quoted('a" ; rm "/')).toBe('"a\\x22 \\x3b rm \\x22/"');
  expect(quoted("a\n!id\\x")).toBe('"a\\x0a\\x21id\\x5cx"');
  expect(quoted("ä")).toBe('"\\xc3\\xa4"');
});

const block = (index: number, fields: Record<string, number>) =>
  `[${index}] = {\n${Object.entries(fields)
    .map(([name, value]) => `  st_${name}: ${value}\n`)
    .join("")}}\n`;

test("entries are told with type, size, permissions and time; one that is gone is left out", () => {
  const text =
    block(0, { dev: 1, ino: 45, mode: 0o100644, size: 839, mtime_sec: 1_795_377_332 }) +
    block(1, { dev: -1, ino: -1, mode: 0, size: 0, mtime_sec: 0 }) +
    block(2, { dev: 1, ino: 7, mode: 0o041777, size: 4096, mtime_sec: 0 });
  expect(
    parseStats(
      text,
      ["passwd", "gone", "tmp"].map((name) => Buffer.from(name)),
    ),
  ).toEqual([
    {
      name: Buffer.from("passwd"),
      type: "file",
      sizeBytes: 839,
      permissions: "0644",
      modifiedAt: "2026-11-22T19:55:32.000Z",
    },
    {
      name: Buffer.from("tmp"),
      type: "folder",
      sizeBytes: 4096,
      permissions: "1777",
      modifiedAt: "1970-01-01T00:00:00.000Z",
    },
  ]);
});

test("a file system's own absurd times are told as times", () => {
  const [file] = parseStats(block(0, { ino: 1, mode: 0o100000, mtime_sec: 9e15 }), [Buffer.from("x")]);
  expect(Date.parse(file?.modifiedAt ?? "")).not.toBeNaN();
});

test("outer folders are mounted first, and what holds no files not at all", () => {
  expect(parseMountpoints("/boot/efi: /dev/sda2\n/: /dev/sda3\n/boot: /dev/sda1\nnoise")).toEqual([
    { folder: "/", device: "/dev/sda3" },
    { folder: "/boot", device: "/dev/sda1" },
    { folder: "/boot/efi", device: "/dev/sda2" },
  ]);
  expect(parseFilesystems("/dev/sda1: vfat\n/dev/sda2: swap\n/dev/sda3: unknown\n/dev/vg/root: xfs")).toEqual([
    "/dev/sda1",
    "/dev/vg/root",
  ]);
});
