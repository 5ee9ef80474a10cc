import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const debianChromium = "/usr/bin/chromium";

/** Browser tests against real stacks, each worker with stacks of its own; two at a time, as many as a small machine has cores. */
export default defineConfig({
  testDir: "e2e/browser",
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  outputDir: "test-results",
  use: {
    viewport: { width: 1280, height: 850 },
    actionTimeout: 15_000,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: existsSync(debianChromium) ? { executablePath: debianChromium } : {},
  },
});
