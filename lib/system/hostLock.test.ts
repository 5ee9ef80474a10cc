import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeHostLock } from "./hostLock";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-lock-"));
  file = join(folder, "lock");
  await writeFile(file, "");
});
afterEach(() => rm(folder, { recursive: true }));

test("the next one has a lock when the one before has let go of it, and not before", async () => {
  const order: string[] = [];
  const letGo = await takeHostLock(file);
  const second = takeHostLock(file).then((letGoToo) => {
    order.push("second has it");
    return letGoToo();
  });
  // Another file's lock is taken meanwhile, so a second one that didn't wait would be there by now.
  const other = join(folder, "other");
  await writeFile(other, "");
  await (await takeHostLock(other))();
  order.push("first lets go");
  await letGo();
  await second;
  expect(order).toEqual(["first lets go", "second has it"]);
});

test("what is not there can't be locked", async () => {
  await expect(takeHostLock(join(folder, "nowhere", "lock"))).rejects.toThrow("can't be locked");
});
