import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type Browser, type BrowserContext, chromium } from "@playwright/test";
import { z } from "zod";
import { projectDir } from "../../lib/paths";
import { makeSignInLink } from "../../lib/up/consoleClient";
import type { Stack } from "../stack";
import type { Benchmark } from "./benchmark";
import { sampleOf } from "./stats";
import { createReadyVm } from "./vms";
import { withStack } from "./withStack";

const chromiumPath = "/usr/bin/chromium";
const vmName = "listed";
/** What Next.js fetches ahead for links comes soon after the page itself. */
const quietMs = 3_000;
const bytesPerKb = 1_000;

export const firstLoad: Benchmark = {
  name: "first-load",
  what: "gzipped JavaScript that Chromium loads for the list of VMs",
  measure: async (note) => {
    const name = "JavaScript of the list, gzipped";
    if (!existsSync(chromiumPath)) {
      return [{ name, skipped: "Install it with: apt-get install --no-install-recommends chromium" }];
    }
    return withStack("fake", async (stack) => {
      await createReadyVm(stack, vmName);
      note("opens the list");
      const scripts = await scriptsOfList(stack);
      refuseConsoles(scripts);
      return [
        {
          name,
          unit: "kB",
          value: sampleOf([gzippedKb([...scripts.values()])]),
          baseline: { what: "React and Next.js alone", value: sampleOf([gzippedKb(await frameworkScripts())]) },
          target: { of: "value", atMost: 200 },
        },
      ];
    });
  },
};

/** All scripts that a browser with an empty cache fetches for the list, by URL. */
async function scriptsOfList(stack: Stack): Promise<Map<string, string>> {
  const browser = await chromium.launch({ executablePath: chromiumPath });
  try {
    const page = await (await signedIn(browser, stack)).newPage();
    const scripts = new Map<string, string>();
    page.on("response", async (response) => {
      if (response.request().resourceType() === "script") scripts.set(response.url(), await response.text());
    });
    await page.goto(stack.url);
    await page.getByRole("link", { name: vmName }).first().waitFor();
    await delay(quietMs);
    return scripts;
  } finally {
    await browser.close();
  }
}

/** A new browser profile with the administrator's session. */
async function signedIn(browser: Browser, stack: Stack): Promise<BrowserContext> {
  const first = await browser.newContext();
  await first.request.get(await makeSignInLink(stack.settings));
  await first.request.post(`${stack.url}/api/account/password`, {
    data: { newPassword: "a password of the benchmark" },
    headers: { origin: stack.url },
  });
  return browser.newContext({ storageState: await first.storageState() });
}

/** noVNC and xterm are for who opens a console. */
function refuseConsoles(scripts: ReadonlyMap<string, string>): void {
  for (const [url, text] of scripts) {
    if (/noVNC|xterm-helper/.test(text)) throw new Error(`The list loads a console: ${url}`);
  }
}

/** What every page of a Next.js application loads. */
async function frameworkScripts(): Promise<string[]> {
  const folder = join(projectDir, ".next");
  const manifest = JSON.parse(await readFile(join(folder, "build-manifest.json"), "utf8"));
  const { rootMainFiles } = z.object({ rootMainFiles: z.array(z.string()) }).parse(manifest);
  return Promise.all(rootMainFiles.map((file) => readFile(join(folder, file), "utf8")));
}

/** Each file by itself, as a server compresses them. */
function gzippedKb(scripts: readonly string[]): number {
  return scripts.reduce((sum, text) => sum + gzipSync(text).length, 0) / bytesPerKb;
}
