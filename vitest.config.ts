import { defineConfig } from "vitest/config";

/**
 * Two projects: `unit` is pure and runs in parallel; `integration` (x.int.test.ts) starts PostgreSQL, agents and QEMU and
 * runs three files at a time: a guest under emulation keeps one core busy, and waits as often as it computes. So do the programs
 * that unit tests start.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{app,components,lib,scripts,e2e}/**/*.test.{ts,tsx}"],
          exclude: ["**/*.int.test.ts", "**/node_modules/**"],
          maxWorkers: 4,
          // Deadlines of what comes in milliseconds, except where other programs have the processor.
          testTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: "integration",
          include: ["{lib,scripts,e2e}/**/*.int.test.ts"],
          maxWorkers: 3,
          testTimeout: 120_000,
          hookTimeout: 300_000,
          // Two busy cores are slow: whoever answers right is not kept waiting by it.
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
