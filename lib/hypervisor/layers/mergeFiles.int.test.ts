import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { MIB } from "../../domain/units";
import { mergeFiles } from "./mergeFiles";

test("a merge whose process can't be started leaves no file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "merge-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const chain = [{ path: join(folder, "gone.qcow2"), nodeName: "gone" }];
  const merge = { target: join(folder, "merged.qcow2"), virtualBytes: MIB, chain, base: null, user: null };
  await expect(mergeFiles(merge, new AbortController().signal)).rejects.toThrow("could not open the disk");
  expect(readdirSync(folder)).toEqual([]);
});
