import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { seedFiles, writeSeed } from "./seed";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-"));
});
afterEach(() => rm(folder, { recursive: true }));

const text = fc.string({ unit: "binary", maxLength: 30 });
const document = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 10 }),
  fc.oneof(text, fc.integer(), fc.array(text)),
);

test("whatever users write stays a value: YAML readers give the documents back", () => {
  fc.assert(
    fc.property(document, (value) => {
      const files = seedFiles({ metaData: value, userData: { cloudConfig: value }, networkConfig: value });
      expect(files["user-data"]).toMatch(/^#cloud-config\n/);
      for (const file of Object.values(files)) expect(parse(file)).toEqual(JSON.parse(JSON.stringify(value)));
      // PyYAML, which cloud-init reads with, refuses these unless they are escaped.
      for (const file of Object.values(files))
        expect(file).not.toMatch(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/);
    }),
  );
});

test("the volume is labelled cidata and holds the three documents, for the owner's eyes only", async () => {
  const documents = {
    metaData: { "instance-id": "i-1", "local-hostname": "web" },
    userData: { script: "#!/bin/sh\necho hello\n" },
    networkConfig: { version: 2, ethernets: {} },
  };
  const iso = join(folder, "seed.iso");
  await writeSeed(documents, iso, folder, null);
  await writeSeed(documents, iso, folder, null);
  expect((await stat(iso)).mode & 0o777).toBe(0o600);
  // ECMA-119 (ISO 9660): the volume identifier is at byte 40 of sector 16.
  expect((await readFile(iso)).toString("latin1", 32808, 32840).trim()).toBe("cidata");
  const out = join(folder, "out");
  await execa("xorriso", ["-osirrox", "on", "-indev", iso, "-extract", "/", out]);
  for (const [name, content] of Object.entries(seedFiles(documents))) {
    expect(await readFile(join(out, name), "utf8")).toBe(content);
  }
});
