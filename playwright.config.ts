import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const debianChromium = "/usr/bin/chromium";

/** How long what was asked for may take: the machine may have much else to do, and how fast pages are is measured elsewhere. */
const waitMs = 60_000;

/** Browser tests against real stacks, each worker with stacks of its own; two at a time, as many as a small machine has cores. */
export default defineConfig({
  testDir: "e2e/browser",
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 600_000,
  expect: { timeout: waitMs },
  outputDir: "test-results",
  use: {
    viewport: { width: 1280, height: 850 },
    actionTimeout: waitMs,
    // No trace, which would make the tests take a quarter longer: `npx playwright test --trace on` writes one.
    screenshot: "only-on-failure",
    launchOptions: existsSync(debianChromium) ? { executablePath: debianChromium } : {},
  },
});
