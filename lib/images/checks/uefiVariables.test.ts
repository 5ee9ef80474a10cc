import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { variableStore } from "../testing/variableStore";
import { isVariableStore } from "./uefiVariables";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cumulus-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[string, Buffer, boolean]>([
  ["a store as firmware writes it", variableStore(), true],
  ["the flash of a machine that was never on", Buffer.alloc(4096), true],
  ["nothing", Buffer.alloc(0), false],
  ["the beginning of a header", variableStore().subarray(0, 50), false],
  ["text", Buffer.from("variables ".repeat(500)), false],
  ["a store that was cut short", variableStore().subarray(0, 2048), false],
  ["a volume of another kind", variableStore().fill(7, 16, 32), false],
  ["a volume that says to be nothing", variableStore().fill(0, 32, 40), false],
])("%s", async (_, content, isOne) => {
  const file = join(folder, "vars.fd");
  writeFileSync(file, content);
  expect(await isVariableStore(file)).toBe(isOne);
});
