import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sizeLimits, sizes } from "../domain/size";
import { GIB, MIB } from "../domain/units";
import { admitEntry } from "./entries";
import { packArchive } from "./pack";
import { readHead } from "./readHead";
import { badArchives } from "./testing/badArchives";
import { archivedVm, bytesOf, tarOf } from "./testing/tar";
import { unpackArchive } from "./unpack";

const { signal } = new AbortController();

let folder: string;
let into: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cumulus-"));
  into = mkdtempSync(join(folder, "into-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const inChunks = (bytes: Buffer, size: number) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  );

test("what is packed is unpacked as it was, in an order by which a cut shows, and by tar(1) too", async () => {
  const disk = written("disk", Buffer.alloc(3 * MIB, "disk"));
  const variables = written("vars", "variables");
  const archive = join(folder, "vm.tar");
  const told: number[][] = [];
  await packArchive(archive, archivedVm, { disk, variables }, (...bytes) => void told.push(bytes), signal);
  expect(told.at(-1)).toEqual([3 * MIB + 9, 3 * MIB + 9]);
  const { stdout } = await execa("tar", ["-tf", archive]);
  expect(stdout.split("\n")).toEqual(["vm.json", "uefi-variables.fd", "disk.qcow2"]);
  const files = await unpackArchive(archive, into, signal);
  expect(readFileSync(files.disk).equals(readFileSync(disk))).toBe(true);
  expect(readFileSync(files.variables ?? "", "utf8")).toBe("variables");
  expect(JSON.parse(readFileSync(join(into, "vm.json"), "utf8"))).toEqual(archivedVm);
});

test("a disk above 8 GiB has a size that tar(1) reads, which a tar's oldest field can't say", async () => {
  const disk = written("disk", "begin");
  const bytes = 8 * GIB + 4096;
  await truncate(disk, bytes);
  const archive = join(folder, "large.tar");
  const enough = new AbortController();
  // No more than some MiB of it are on their way: when so much was read, its beginning is written.
  const tell = (doneBytes: number) => doneBytes >= 32 * MIB && enough.abort();
  const packed = packArchive(archive, archivedVm, { disk, variables: null }, tell, enough.signal);
  await expect(packed).rejects.toThrow();
  const { stdout } = await execa("tar", ["-tvf", archive], { reject: false });
  expect(stdout).toContain(` ${bytes} `);
  await expect(unpackArchive(archive, into, signal)).rejects.toMatchObject({
    message: expect.stringMatching(/cut short/),
  });
});

test.each([...sizes.map(({ diskBytes }) => diskBytes), sizeLimits.diskBytes.max])(
  "an archive may have a full disk of %i bytes, as a VM may",
  (diskBytes) => {
    // For each cluster of 64 KiB, an entry in its table and a count (QEMU's docs/interop/qcow2.txt).
    const header = { name: "disk.qcow2", type: "file" as const, size: diskBytes + (diskBytes / 65536) * 16 };
    expect(admitEntry(header, new Set())).toMatchObject({ sizeBytes: header.size });
  },
);

test.each([1, 100, 512, 700, 64 * 1024, 10 * MIB])(
  "what is said of a VM is read from pieces of %i bytes, and nothing of the file is lost by that",
  async (size) => {
    const archive = await bytesOf(tarOf([{ name: "vm.json" }, { name: "disk.qcow2", content: Buffer.alloc(5000, 7) }]));
    const { description, body } = await readHead(inChunks(archive, size));
    expect(description).toEqual(archivedVm);
    const again = createHash("sha256")
      .update(await bytesOf(body))
      .digest("hex");
    expect(again).toBe(createHash("sha256").update(archive).digest("hex"));
  },
);

test("an archive that tar(1) made anew from the files of another is one as well", async () => {
  for (const [name, content] of [
    ["vm.json", JSON.stringify(archivedVm)],
    ["disk.qcow2", "disk"],
  ] as const) {
    written(name, content);
  }
  for (const format of ["gnu", "pax", "ustar"]) {
    const archive = join(folder, `${format}.tar`);
    await execa("tar", [`--format=${format}`, "-C", folder, "-cf", archive, "vm.json", "disk.qcow2"]);
    expect((await readHead(createReadStream(archive))).description).toEqual(archivedVm);
    const target = mkdtempSync(join(folder, "out-"));
    expect(readFileSync((await unpackArchive(archive, target, signal)).disk, "utf8")).toBe("disk");
  }
});

test.each(badArchives.map((bad) => [bad.name, bad] as const))(
  "%s is refused with a sentence that says why, and nothing is written outside of its folder",
  async (_, { make, why }) => {
    const content = await bytesOf(make());
    const archive = written("bad.tar", content);
    const before = readdirSync(folder).sort();
    const work = async () => {
      const { body } = await readHead(inChunks(content, 64 * 1024));
      await bytesOf(body);
      await unpackArchive(archive, into, signal);
    };
    await expect(work()).rejects.toMatchObject({ code: "bad_request", message: expect.stringMatching(why) });
    expect(readdirSync(folder).sort()).toEqual(before);
  },
);

test.each<[string, (body: Readable) => Promise<unknown>]>([
  ["before anything of it is read", async () => {}],
  ["while what was read already is read again", (body) => body[Symbol.asyncIterator]().next()],
  [
    "while the rest comes",
    async (body) => {
      let bytes = 0;
      for await (const chunk of body.iterator({ destroyOnReturn: false })) {
        bytes += chunk.length;
        if (bytes > MIB) return;
      }
    },
  ],
])(
  "a file that nobody wants any more is taken to its end, so that its sender looks for the answer: %s",
  async (_, read) => {
    const sent = inChunks(
      await bytesOf(tarOf([{ name: "vm.json" }, { name: "disk.qcow2", content: Buffer.alloc(2 * MIB) }])),
      4096,
    );
    const { body } = await readHead(sent);
    await read(body);
    body.destroy();
    await once(sent, "close");
    expect(sent.readableEnded).toBe(true);
  },
);

test("a file that breaks off on its way breaks the work, not the process", async () => {
  const archive = await bytesOf(tarOf([{ name: "vm.json" }, { name: "disk.qcow2", content: Buffer.alloc(5000) }]));
  const broken = Readable.from(
    (async function* () {
      yield archive.subarray(0, 2048);
      throw new Error("broken off");
    })(),
  );
  const { body } = await readHead(broken);
  await expect(bytesOf(body)).rejects.toThrow("broken off");
});
