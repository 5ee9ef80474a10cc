import { describe, expect, test } from "vitest";
import { failureSummary, runForAll } from "./runForAll";

const named = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `vm-${index}` }));

describe("an act on many VMs", () => {
  test("is done once for each, a few at a time", async () => {
    const done: string[] = [];
    let running = 0;
    let most = 0;
    const failures = await runForAll(named(25), async (vm) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      done.push(vm.name);
      running -= 1;
    });
    expect(failures).toEqual([]);
    expect(new Set(done).size).toBe(25);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  test("goes on after a failure and tells of each", async () => {
    const vms = named(6);
    const done: string[] = [];
    const failures = await runForAll(vms, async (vm) => {
      if (vm === vms[1] || vm === vms[4]) throw new Error(`${vm.name} is busy.`);
      done.push(vm.name);
    });
    expect(done).toHaveLength(4);
    expect(failures.map(({ item }) => item)).toEqual([vms[1], vms[4]]);
    expect(failureSummary(failures, 6)).toBe("This failed for 2 of 6 VMs. vm-1: vm-1 is busy. vm-4: vm-4 is busy.");
  });

  test("says the plain reason when there was only one VM, and nothing when all went well", async () => {
    const failures = await runForAll(named(1), () => Promise.reject(new Error("No memory is free.")));
    expect(failureSummary(failures, 1)).toBe("No memory is free.");
    expect(failureSummary([], 3)).toBeNull();
  });
});
