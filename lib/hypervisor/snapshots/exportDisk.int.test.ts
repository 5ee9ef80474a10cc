import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { pathsOf, readSettings } from "../../env";
import { detectUserScheme } from "../../system/machineUsers";
import { exportChain } from "./exportDisk";

const report = { progress() {}, log() {} };
const { signal } = new AbortController();

/** A disk of VM 1 on a host whose qemu-img, once it has converted that, goes on with this shell script; `$file` is what it has written. */
async function exportWith(script: string) {
  const dataDir = mkdtempSync(join(tmpdir(), "export-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  chmodSync(dataDir, 0o711);
  const settings = readSettings({ NODE_ENV: "test", CUMULUS_DATA_DIR: dataDir, CUMULUS_RUN_DIR: join(dataDir, "run") });
  const { layers } = pathsOf(settings);
  mkdirSync(layers, { mode: 0o711 });
  const [disk, secret, target] = [join(layers, "disk.qcow2"), join(dataDir, "secret"), join(dataDir, "exported.qcow2")];
  const pidFile = join(dataDir, "pid");
  writeFileSync(pidFile, "");
  chmodSync(pidFile, 0o666);
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1M"]);
  chmodSync(disk, 0o644);
  writeFileSync(secret, "secret");
  chmodSync(secret, 0o640);

  const path = process.env.PATH ?? "";
  const programs = join(dataDir, "bin");
  mkdirSync(programs, { mode: 0o755 });
  const convert = `PATH=${path}\nqemu-img "$@" || exit 1\nfor file; do :; done\nsecret=${secret}\npid_file=${pidFile}\n${script}\n`;
  writeFileSync(join(programs, "qemu-img"), `#!/bin/sh\n${convert}`, { mode: 0o755 });
  chmodSync(join(programs, "qemu-img"), 0o755);
  process.env.PATH = `${programs}:${path}`;
  try {
    const users = await detectUserScheme();
    const chain = { chain: [{ nodeName: "disk", path: disk }], layers: [], vmId: 1 };
    await exportChain({ settings, users }, chain, { disk: target }, report, signal);
  } finally {
    process.env.PATH = path;
    expect(readdirSync(layers)).toEqual(["disk.qcow2"]);
    expect(statSync(secret).mode & 0o777).toBe(0o640);
  }
  return { target, file: lstatSync(target), pid: Number(readFileSync(pidFile, "utf8")) };
}

test("a disk is exported into a file that is the agent's alone", async () => {
  const { file } = await exportWith("");
  expect(file.isFile()).toBe(true);
  expect(file).toMatchObject({ uid: process.getuid?.(), nlink: 1 });
  expect(file.mode & 0o777).toBe(0o600);
});

test("words of qemu-img about writing that failed are a failure, though it ends well", async () => {
  const script = 'echo "qemu-img: Failed to flush the refcount block cache: No space left on device" >&2';
  await expect(exportWith(script)).rejects.toMatchObject({ code: "insufficient_capacity" });
  await exportWith('echo "qemu-img: warning: all is well" >&2');
});

test.runIf(process.getuid?.() === 0).each([
  ["a link to a file of the host's", 'rm "$file"; ln -s "$secret" "$file"'],
  ["a file with another name elsewhere", 'ln "$file" "$file.too"'],
])("%s in the place of what was written is refused, and the host's file stays as it is", async (_, script) => {
  await expect(exportWith(script)).rejects.toMatchObject({
    code: "internal",
    message: expect.stringContaining("replaced by another file"),
  });
});

test.runIf(process.getuid?.() === 0)(
  "who still has the file open that was written can't write into what is exported",
  async () => {
    const { target, pid } = await exportWith('tail -f /dev/null 3<>"$file" >/dev/null 2>&1 &\necho $! >"$pid_file"');
    onTestFinished(() => void process.kill(pid));
    const exported = readFileSync(target);
    const held = openSync(`/proc/${pid}/fd/3`, "r+");
    writeSync(held, "other", 0);
    closeSync(held);
    expect(readFileSync(target).equals(exported)).toBe(true);
  },
);

test.runIf(process.getuid?.() === 0)("a file that leads to others of the host's is refused", async () => {
  const script = 'rm "$file"; qemu-img create -q -f qcow2 -u -b /etc/shadow -F raw "$file" 1M';
  await expect(exportWith(script)).rejects.toMatchObject({ message: expect.stringContaining("backing file") });
});
