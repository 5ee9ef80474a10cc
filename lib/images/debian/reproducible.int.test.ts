import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { slowTest } from "../../system/testing/slowTests";
import { buildImage } from "../buildImage";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "debian-again-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** @returns the SHA-256 of the image's file */
async function build(attempt: string): Promise<string> {
  const folder = join(dir, attempt);
  const paths = { images: join(folder, "images"), staging: join(folder, "staging") };
  const call = {
    workDir: join(folder, "work"),
    report: { progress: () => {}, log: () => {} },
    signal: new AbortController().signal,
  };
  return (await buildImage(paths, { name: "debian-12", arch: "x86_64" }, call)).sha256;
}

slowTest(
  "debian-12 is the same file, byte for byte, when it is built again of the same packages",
  async () => {
    expect(await build("again")).toBe(await build("first"));
  },
  1_800_000,
);
