import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { machineTypesOf, newestToStart, readMachineTypes } from "./machineTypes";

const help = `Supported machines are:
pc                   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-7.2)
pc-i440fx-7.2        Standard PC (i440FX + PIIX, 1996) (default)
q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-7.2)
pc-q35-7.2           Standard PC (Q35 + ICH9, 2009)
pc-q35-2.4           Standard PC (Q35 + ICH9, 2009) (deprecated)
`;

test("an alias stands for the newest version of its machine, beside which the older ones are told", () => {
  const { newest, all } = readMachineTypes(help, "q35");
  expect(newest).toBe("pc-q35-7.2");
  expect(all).toEqual(expect.arrayContaining(["pc-q35-7.2", "pc-q35-2.4"]));
});

test("a QEMU that tells no version has the alias", () => {
  expect(readMachineTypes("", "q35").newest).toBe("q35");
  expect(readMachineTypes("q35                  Standard PC (Q35 + ICH9, 2009)", "q35").newest).toBe("q35");
});

/** A search path on which QEMU is a file that there is nothing else beside. @returns writes it anew */
function onlyQemu() {
  const folder = mkdtempSync(join(tmpdir(), "qemu-"));
  const path = process.env.PATH;
  process.env.PATH = folder;
  onTestFinished(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "qemu-system-x86_64");
  return (text: string, mode = 0o755) => {
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
}

test("a QEMU that fails is not one that has no machines: its last words say why, and it is asked again", async () => {
  const write = onlyQemu();
  write("#!/bin/sh\necho 'symbol lookup error: libfoo' >&2\nexit 127\n");
  await expect(machineTypesOf("x86_64")).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("symbol lookup error: libfoo"),
  });
  write(`#!/bin/sh\necho '${help}'\n`);
  expect(await machineTypesOf("x86_64")).toMatchObject({ newest: "pc-q35-7.2" });
});

test.each([
  ["isn't installed", null],
  ["can't be run", 0o644],
  ["needs a program that is missing", 0o755],
])("a QEMU that %s can't be asked, and a VM starts by the alias with a warning", async (_, mode) => {
  const write = onlyQemu();
  if (mode !== null) write("#!/there/is/none\n", mode);
  await expect(machineTypesOf("x86_64")).rejects.toMatchObject({ code: "unavailable" });
  const warnings: object[] = [];
  expect(await newestToStart("x86_64", { warn: (fields) => warnings.push(fields) })).toBe("q35");
  expect(warnings).toHaveLength(1);
});
