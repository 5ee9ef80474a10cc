import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readDiskRecord } from "../diskRecord";
import { machinePaths } from "../machinePaths";
import { patterns, present, SnapshotBed } from "../testing/snapshotBed";
import { TestHost } from "../testing/testHost";

/** While it is set, the folder of VM 1 can't be opened from when its record names a cut. */
const folder = vi.hoisted(() => ({ path: "", isClosed: (): boolean => false }));
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const open: typeof real.open = async (path, ...rest) => {
    if (path === folder.path && folder.isClosed()) throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
    return real.open(path, ...rest);
  };
  return { ...real, open };
});

let host: TestHost;
let bed: SnapshotBed;
beforeAll(async () => {
  host = await TestHost.make();
  bed = new SnapshotBed(host, await host.agent());
});
afterAll(() => host?.close());

test.each([
  ["is off", false],
  ["runs", true],
])(
  "a snapshot that fails once its record is written leaves a VM that %s with all that it held",
  async (_, isRunning) => {
    await bed.makeVm();
    if (isRunning) await bed.start();
    const paths = machinePaths(host.settings, 1);
    folder.path = paths.folder;
    let isFailed = false;
    folder.isClosed = () => {
      if (isFailed) return false;
      isFailed = JSON.parse(readFileSync(paths.diskRecord, "utf8")).cut !== null;
      return isFailed;
    };
    await expect(bed.take(9)).rejects.toThrow("EMFILE");
    if (isRunning) expect((await readDiskRecord(paths)).cut).toBeNull();
    else await bed.start();

    await bed.untilEchoes(1);
    await bed.agent.stop(1);
    expect(await bed.patternOf({ vmId: 1 })).toBe(present);
    expect(await bed.patternOf({ snapshotId: 2 })).toBe(patterns[2]);
    await bed.expectNothingLeft();
  },
);
