import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SnapshotBed } from "../testing/snapshotBed";
import { TestHost } from "../testing/testHost";
import { userfaultfdSetting } from "./userfaultfd";

let hosts: TestHost[];

beforeEach(async () => {
  hosts = await Promise.all([1, 2, 3].map(() => TestHost.make()));
});
afterEach(async () => {
  for (const host of hosts) await host.close();
});

test("three agents of one host take snapshots with memory at once, and none undoes what another's QEMU needs", async () => {
  const before = await readFile(userfaultfdSetting, "utf8");
  const beds = await Promise.all(
    hosts.map(async (host) => {
      const bed = new SnapshotBed(host, await host.agent());
      await bed.agent.ensure(await host.spec(1));
      await bed.start();
      return bed;
    }),
  );
  for (let round = 1; round <= 6; round++) {
    const taken = await Promise.all(beds.map((bed) => bed.take(round, true)));
    expect(taken.map(({ consistency }) => consistency)).toEqual(["memory", "memory", "memory"]);
  }
  expect(await readFile(userfaultfdSetting, "utf8")).toBe(before);
});
