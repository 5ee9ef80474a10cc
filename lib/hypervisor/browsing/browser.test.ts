import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { readSettings } from "../../env";
import type { HostContext } from "../context";
import { LayerStore } from "../layers/layerStore";
import { Browser } from "./browser";
import { OpenDisk } from "./openDisk";

/** Machines that look into a disk. */
const machines = { running: 0, most: 0 };
beforeEach(() => {
  Object.assign(machines, { running: 0, most: 0 });
  vi.spyOn(OpenDisk, "open").mockImplementation(async () => {
    machines.running += 1;
    machines.most = Math.max(machines.most, machines.running);
    const close = async () => {
      machines.running -= 1;
    };
    return { list: async () => ({ files: [], totalCount: 0 }), close } as unknown as OpenDisk;
  });
  return () => vi.restoreAllMocks();
});

const [top, bottom] = ["a".repeat(16), "b".repeat(16)];

/** A host on which any snapshot has two layers. */
async function twoLayers() {
  const dataDir = mkdtempSync(join(tmpdir(), "browser-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  const users = { kind: "own" as const, userOf: () => null };
  const layers = new LayerStore(settings, users);
  await layers.prepare();
  const layer = { imageSha256: null, vmId: 1, virtualBytes: 1, openedAs: "/", snapshotBelow: null, level: 0 };
  await layers.write({ ...layer, id: top, parent: bottom, foldedBytes: 0 });
  await layers.write({ ...layer, id: bottom, parent: null, foldedBytes: 0 });
  const snapshots = { get: async (id: number) => ({ layerId: top, manifest: { id, vmId: 1 } }) };
  const browser = new Browser({ settings, users, layers, snapshots } as unknown as HostContext, () => {});
  onTestFinished(() => browser.close());
  return { browser, layers };
}

test("of many snapshots that are looked into at once two are opened, and the others are told to wait", async () => {
  const { browser } = await twoLayers();
  const looks = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((id) => browser.list(id, "/")));
  expect(machines.most).toBe(2);
  const refused = looks.flatMap((look) => (look.status === "rejected" ? look.reason : []));
  expect(refused).toHaveLength(4);
  expect(refused.every(({ code }) => code === "rate_limited")).toBe(true);

  await browser.list(7, "/");
  expect(machines).toEqual({ running: 2, most: 2 });
});

test("all layers of a snapshot stay for as long as it is open", async () => {
  const { browser, layers } = await twoLayers();
  await browser.list(1, "/");
  expect([top, bottom].map((id) => layers.isHeld(id))).toEqual([true, true]);
  await browser.close();
  expect([top, bottom].map((id) => layers.isHeld(id))).toEqual([false, false]);
});
