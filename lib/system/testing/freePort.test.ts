import { afterEach, expect, test, vi } from "vitest";
import { freePort } from "./freePort";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("two workers that run side by side are given none of the same ports, and each no port twice", async () => {
  const ofWorker = async (id: string) => {
    vi.stubEnv("VITEST_POOL_ID", id);
    return Promise.all(Array.from({ length: 500 }, freePort));
  };
  const all = [...(await ofWorker("1")), ...(await ofWorker("2"))];
  expect(new Set(all).size).toBe(all.length);
});
