import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readSettings } from "../../env";
import { type Handler, serveImages } from "../testing/imageServer";
import { askPublishedChecksum } from "./publishedBuild";

const hex = createHash("sha256").update("a build").digest("hex");
const none = new AbortController().signal;

/** Asks for what a mirror, on the loopback, has for an image of the catalogue that ships. */
async function mirrored(list: Handler) {
  const server = await serveImages({ "/cloud-images.ubuntu.com/releases/24.04/release/SHA256SUMS": list });
  const settings = readSettings({ ...environment(tmpdir()), CUMULUS_IMAGE_MIRROR: server.url });
  const ask = (withinMs?: number, signal = none) =>
    askPublishedChecksum("ubuntu-24.04-x86_64", settings, signal, withinMs);
  return { server, ask };
}

const environment = (dataDir: string) =>
  ({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: dataDir }) as const;

test("a maker's list tells which build it publishes", async () => {
  const { ask } = await mirrored((_, response) => response.end(`${hex} *ubuntu-24.04-server-cloudimg-amd64.img\n`));
  expect(await ask()).toBe(`sha256:${hex}`);
});

test("a maker that leads into this network is not followed", async () => {
  const inside = await serveImages({ "/SHA256SUMS": (_, response) => response.end(`${hex} *a.qcow2\n`) });
  const { ask } = await mirrored((_, response) =>
    response.writeHead(302, { location: `${inside.url}/SHA256SUMS` }).end(),
  );
  await expect(ask()).rejects.toMatchObject({ code: "bad_request", message: expect.stringMatching(/private network/) });
  expect(inside.requests).toEqual([]);
});

test("a maker on this computer is not asked", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "published-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  await mkdir(join(dataDir, "catalogue.d"));
  const checksum = { url: "https://127.0.0.1:1/SHA256SUMS", algorithm: "sha256", format: "list" };
  const x86_64 = { firmwares: ["bios"], url: "https://127.0.0.1:1/a.qcow2", checksum, downloadBytes: "1G" };
  const system = {
    ...{ name: "ours", title: "Ours", os: { family: "ours", release: "1" }, endOfLife: null },
    ...{ loginUser: "me", minDiskBytes: "1G", minMemoryBytes: "1G", images: { x86_64 } },
  };
  await writeFile(join(dataDir, "catalogue.d", "own.yaml"), JSON.stringify([system]));
  const asked = askPublishedChecksum("ours-x86_64", readSettings(environment(dataDir)), none);
  await expect(asked).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringMatching(/127\.0\.0\.1 is on/),
  });
});

test.each<[string, Handler]>([
  ["says nothing", () => {}],
  ["never comes to the end", (_, response) => void response.write(`${hex} `)],
])("a maker that %s is given up at the deadline", async (_what, list) => {
  const { ask } = await mirrored(list);
  await expect(ask(300)).rejects.toMatchObject({ code: "unavailable", message: expect.stringMatching(/within 0.3 s/) });
});

test("whoever gives up the request ends the question", async () => {
  const given = new AbortController();
  const { ask } = await mirrored(() => given.abort(new Error("Given up.")));
  await expect(ask(60_000, given.signal)).rejects.toThrow("Given up.");
});

test("an entry that the catalogue has no longer is told", async () => {
  const asked = askPublishedChecksum("beos-5", readSettings(environment(tmpdir())), none);
  await expect(asked).rejects.toMatchObject({ code: "not_found" });
});
