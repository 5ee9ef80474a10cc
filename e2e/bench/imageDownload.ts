import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { download } from "../../lib/images/fetch/download";
import { defaultFetchRules } from "../../lib/images/fetch/request";
import { defaultImageLimits } from "../../lib/images/staging/limits";
import { StagedFile } from "../../lib/images/staging/stagedFile";
import { TransferMeter } from "../../lib/images/staging/transferMeter";
import type { Benchmark } from "./benchmark";
import { startFileServer } from "./fileServer";
import { sampleOf } from "./stats";

const rounds = 5;
const sizeMib = 512;
const silent = { progress() {}, log() {} };

export const imageDownload: Benchmark = {
  name: "image-download",
  what: "MiB/s of fetching a file and comparing its SHA-256, without what follows as an image is added, against curl and then sha256sum",
  measure: async (note) => {
    const { failed } = await execa("curl", ["--version"], { reject: false });
    if (failed) return [{ name: "File download, SHA-256 compared", skipped: "Install curl: apt-get install curl" }];
    const server = await startFileServer(sizeMib * 1024 ** 2);
    const folder = await mkdtemp(join(tmpdir(), "cumulus-bench-"));
    const ours: number[] = [];
    const theirs: number[] = [];
    try {
      const expected = await byCurl(server.url, folder);
      for (let round = 0; round < rounds; round++) {
        note(`fetches ${sizeMib} MiB, ${round + 1} of ${rounds}`);
        ours.push(await rateOf(folder, () => byCumulus(server.url, folder, expected)));
        theirs.push(await rateOf(folder, () => byCurl(server.url, folder)));
      }
    } finally {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    }
    return [
      {
        name: "File download, SHA-256 compared",
        unit: "MiB/s",
        value: sampleOf(ours),
        baseline: { what: "curl + sha256sum", value: sampleOf(theirs) },
        target: { of: "ratio", atLeast: 0.8 },
      },
    ];
  },
};

/** @returns MiB/s; the folder is empty afterwards, so that each way writes a new file */
async function rateOf(folder: string, fetch: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await fetch();
  const seconds = (performance.now() - startMs) / 1000;
  for (const name of ["curl", "received", "download.json"]) await rm(join(folder, name), { force: true });
  return sizeMib / seconds;
}

async function byCumulus(url: string, folder: string, expected: string): Promise<void> {
  const file = await StagedFile.open(join(folder, "received"), "sha256", defaultImageLimits);
  try {
    await download(new URL(url), file, join(folder, "download.json"), {
      rules: { ...defaultFetchRules, allowedHosts: [new URL(url).host] },
      meter: new TransferMeter(silent, "", [0, 100]),
      report: silent,
      signal: new AbortController().signal,
    });
    if (file.digest() !== expected) throw new Error("The download has another SHA-256 than curl's.");
  } finally {
    await file.close();
  }
}

/** @returns the SHA-256 of what came */
async function byCurl(url: string, folder: string): Promise<string> {
  const file = join(folder, "curl");
  await execa("curl", ["--silent", "--show-error", "--fail", "--noproxy", "*", "--output", file, url]);
  const { stdout } = await execa("sha256sum", [file]);
  return stdout.split(" ")[0] ?? "";
}
