import { mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Material } from "../testing/badFile";
import { badFiles } from "../testing/badFiles";
import { qcow2Disk, testImage, testLimits } from "../testing/images";
import { emptyInstallation, recordingReport } from "../testing/store";
import { uploadImage } from "./uploadImage";

let folder: string;
let material: Material;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bad-files-"));
  const canary = join(folder, "canary");
  await writeFile(canary, "SECRET OF THE HOST\n".repeat(1000), { mode: 0o644 });
  material = { qcow2: await qcow2Disk(folder), canary };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Sets a file's time of last access so far back that the next one is noted, also on file systems that note few of them (relatime). */
async function forgetAccess(path: string): Promise<number> {
  await utimes(path, new Date(0), new Date());
  return (await stat(path)).atimeMs;
}

async function upload(content: Buffer, kind: "disk" | "iso") {
  const installation = await emptyInstallation();
  const report = recordingReport();
  const options = {
    operationId: 5,
    settings: installation.settings,
    report,
    limits: testLimits,
    signal: new AbortController().signal,
  };
  const request = { fileName: "x", checksum: null, image: { ...testImage, kind } };
  const sent = { body: Readable.from([content]), contentLength: content.length };
  const result = uploadImage(request, options, (receive) => receive(sent));
  return { result, report, installation };
}

test("the corpus holds at least 40 files, each under a name of its own", () => {
  expect(badFiles.length).toBeGreaterThanOrEqual(40);
  expect(new Set(badFiles.map(({ name }) => name)).size).toBe(badFiles.length);
});

test("the files that the bad ones are made from are good", async () => {
  const { result } = await upload(material.qcow2, "disk");
  expect(await result).toMatchObject({ name: "a", virtualBytes: 4 * 2 ** 20 });
});

test.each(badFiles)(
  "$name is refused with a sentence, no host file is read, and nothing is left",
  async ({ make, told, kind }) => {
    const accessed = await forgetAccess(material.canary);
    const { result, report, installation } = await upload(make(material), kind ?? "disk");
    const error = await result.then(
      () => expect.unreachable("it was taken"),
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ name: "CumulusError", message: expect.stringMatching(told) });
    expect(error).toMatchObject({ code: expect.stringMatching(/^(bad_request|too_large)$/) });
    expect((error as Error).message).toMatch(/^[A-Z].*\.$/);
    expect(await installation.left()).toEqual([]);
    expect((await stat(material.canary)).atimeMs).toBe(accessed);
    expect(JSON.stringify([report.lines, report.told, (error as Error).message])).not.toContain("SECRET");
  },
);

/** Numbers that look random and are the same each time (xorshift). */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

test.each(Array.from({ length: 30 }, (_, index) => index + 1))(
  "a good file with bytes changed at random (%i) is an image or refused with a sentence, and no host file is read",
  async (seed) => {
    const accessed = await forgetAccess(material.canary);
    const random = numbers(seed * 7919);
    const bytes = Buffer.from(material.qcow2);
    // Half of the changes fall on the header, the others on the tables, which lie in the first five clusters.
    for (let change = 0; change < 8; change++) {
      const range = random.next().value % 2 === 0 ? 112 : 5 * 65_536;
      bytes[random.next().value % range] = random.next().value % 256;
    }
    const { result, installation } = await upload(bytes, "disk");
    const error = await result.then(
      () => null,
      (error: unknown) => error,
    );
    if (error === null) expect(await installation.left()).toHaveLength(2);
    else {
      expect(error).toMatchObject({ name: "CumulusError", code: "bad_request" });
      expect(await installation.left()).toEqual([]);
    }
    expect((await stat(material.canary)).atimeMs).toBe(accessed);
  },
);
