import { expect, test } from "vitest";
import { imageNameSchema } from "../../../lib/domain/image";
import { imageNameOf, snapshotCopyWords, vmCopyWords } from "./captureWords";

test("the suggested name is one that an image may have, whatever it is made of", () => {
  expect(imageNameOf("web", "Before the upgrade!")).toBe("web-before-the-upgrade");
  for (const name of ["Übergang 1", "…", "-.-", "x".repeat(100), "2026-01-01 10:00"]) {
    expect(imageNameSchema.safeParse(imageNameOf(name)).success, name).toBe(true);
  }
});

test("only a disk at rest is called clean", () => {
  expect(vmCopyWords("stopped")).toMatch(/clean/);
  expect(vmCopyWords("running")).toMatch(/pulling the plug/);
  expect(vmCopyWords("paused")).toMatch(/stays paused.*pulling the plug/);
  expect(snapshotCopyWords({ consistency: "filesystem" })).toMatch(/clean/);
  expect(snapshotCopyWords({ consistency: "crash" })).toMatch(/pulling the plug/);
  expect(snapshotCopyWords({ consistency: "memory" })).toMatch(/memory.*not taken over/);
});
