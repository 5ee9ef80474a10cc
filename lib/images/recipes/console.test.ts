import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recipeSchema } from "../../domain/recipe";
import { runOnConsole } from "./console";

const { PATH } = process.env;

let dir: string;

/** The only programs that there are lie in `dir`. */
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "console-"));
  await chmod(dir, 0o711);
  for (const name of ["disk.qcow2", "image.qcow2"]) await writeFile(join(dir, name), "");
  process.env.PATH = dir;
});
afterEach(async () => {
  process.env.PATH = PATH;
  await rm(dir, { recursive: true, force: true });
});

const steps = [
  { type: "console", expect: "login:", send: "root" },
  { type: "console", expect: "#", send: "poweroff" },
];
const recipe = recipeSchema.parse({ name: "typed", title: "Typed", place: "console", steps });

function run(): Promise<void> {
  const files = { disk: join(dir, "disk.qcow2"), image: join(dir, "image.qcow2"), variables: null, workDir: dir };
  const accelerator = { kind: "tcg", cpuModel: "max" } as const;
  const machine = { ...files, arch: "x86_64", firmware: "bios", minMemoryBytes: 2 ** 26, accelerator } as const;
  return runOnConsole(machine, recipe, {
    report: { progress() {}, log() {} },
    signal: new AbortController().signal,
  });
}

/** With setpriv(1), which ends with an error where it finds no such program. */
async function addSetpriv(): Promise<void> {
  const { stdout } = await execa("which", ["setpriv"], { env: { PATH } });
  await symlink(stdout, join(dir, "setpriv"));
}

/** @param script in which `hear` waits for a line that is typed */
async function addQemu(script: string): Promise<void> {
  const hear = "hear() { read -r -d $'\\r' line; }";
  await writeFile(join(dir, "qemu-system-x86_64"), `#!/bin/bash\n${hear}\n${script}\n`);
  await chmod(join(dir, "qemu-system-x86_64"), 0o755);
}

test("a QEMU that can't be started fails the recipe, and nothing else", async () => {
  await expect(run()).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("ENOENT") });
});

test("of a QEMU that ends, its own reason is told", async () => {
  await addSetpriv();
  await expect(run()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^Step 1: QEMU ended before .*"login:": .*qemu-system-x86_64/),
  });
  await addQemu('echo "login: "; hear; echo "no memory" >&2; exit 1');
  await expect(run()).rejects.toMatchObject({
    code: "unavailable",
    message: 'Step 2: QEMU ended before the console said "#": no memory',
  });
  await addQemu('echo "login: "; hear; echo "# "; hear; echo "bad disk" >&2; exit 1');
  await expect(run()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("bad disk"),
  });
});

test("a machine that turns itself off too early is told as such, and one that does so last is well", async () => {
  await addSetpriv();
  await addQemu('echo "login: "; hear; echo "going down"');
  await expect(run()).rejects.toMatchObject({
    code: "bad_request",
    message: 'Step 2: the machine was turned off before its console said "#". It last said: "going down"',
  });
  await addQemu('echo "login: "; hear; echo "# "; hear');
  await run();
});

test("a QEMU that lets go of the console some time before it ends comes to its own end", async () => {
  await addSetpriv();
  await addQemu('echo "login: "; hear; exec >&-; read -t 1; exit 0');
  await expect(run()).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringMatching(/^Step 2: the machine was turned off before/),
  });
});
