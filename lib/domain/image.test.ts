import { expect, test } from "vitest";
import { imageManifestSchema } from "./image";

const manifest = {
  ...{ sha256: "a".repeat(64), name: "a", title: "A", description: "", arch: "x86_64", firmware: "bios" },
  ...{ fileBytes: 1, virtualBytes: 1, minMemoryBytes: 1, recipeHash: null, createdAt: "2026-11-22T10:00:00.000Z" },
};

test.each([
  ["debian", true],
  ["_apt-2", true],
  ["-oProxyCommand=x", false],
  ["root;reboot", false],
  ["a b", false],
  ["$(reboot)", false],
  ["", false],
])("an image may say %j as its login user, which people paste into a shell: %s", (loginUser, isTaken) => {
  expect(imageManifestSchema.safeParse({ ...manifest, loginUser }).success).toBe(isTaken);
});
