import { expect, test } from "vitest";
import { archivedVm } from "../archives/testing/tar";
import { imageManifestSchema, isOutOfDate, isRecipeChanged } from "./image";
import { readForeignDescription } from "./vmDescription";

const manifest = {
  ...{ sha256: "a".repeat(64), name: "a", title: "A", description: "", arch: "x86_64", firmware: "bios" },
  ...{ fileBytes: 1, virtualBytes: 1, minMemoryBytes: 1, recipeHash: null, createdAt: "2026-11-22T10:00:00.000Z" },
};

test.each([
  ["debian", true],
  ["_apt-2", true],
  ["Administrator", true],
  ["first.last", true],
  ["-oProxyCommand=x", false],
  ["root;reboot", false],
  ["a b", false],
  ["$(reboot)", false],
  ["", false],
])(
  "an image or a VM's description may say %j as its login user, which people paste into a shell: %s",
  (loginUser, isTaken) => {
    expect(imageManifestSchema.safeParse({ ...manifest, loginUser }).success).toBe(isTaken);
    const read = readForeignDescription(JSON.stringify({ ...archivedVm, loginUser }));
    expect("description" in read).toBe(isTaken);
  },
);

test("an image that was built by another recipe than the present one is known; nothing is said of others", () => {
  const [then, now] = ["e".repeat(64), "f".repeat(64)];
  const present = [{ name: "debian-12", arch: "x86_64", recipeHash: now } as const];
  const isChanged = (rest: object) => {
    const image = { ...manifest, name: "debian-12", loginUser: "debian", recipeHash: then, ...rest };
    return isRecipeChanged(imageManifestSchema.parse(image), present);
  };
  expect(isChanged({})).toBe(true);
  expect(isChanged({ recipeHash: now })).toBe(false);
  expect(isChanged({ recipeHash: null })).toBe(false);
  expect(isChanged({ name: "debian-99" })).toBe(false);
  expect(isChanged({ arch: "aarch64" })).toBe(false);
  expect(isChanged({ source: { type: "upload", fileName: "a.qcow2" } })).toBe(false);
});

test("an image is out of date when there is a newer one, when one can be had, or when its base has a newer build", () => {
  const newest = { newerId: null, newerBuild: null, newerBaseId: null };
  expect(isOutOfDate(newest)).toBe(false);
  expect(isOutOfDate({ ...newest, newerId: 2 })).toBe(true);
  expect(isOutOfDate({ ...newest, newerBuild: "age" })).toBe(true);
  expect(isOutOfDate({ ...newest, newerBaseId: 2 })).toBe(true);
});
