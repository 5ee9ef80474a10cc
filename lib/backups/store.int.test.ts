import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { archivedVm } from "../archives/testing/tar";
import type { RepositoryAccess } from "../domain/backup";
import type { TaskReport } from "../domain/task";
import { until } from "../hypervisor/testing/until";
import { makeRepository } from "./repository";
import { runRestic } from "./restic";
import { fetchCopy, keepCopy, listCopies, removeCopies } from "./store";
import { diskOf, folder, folderAccess, s3Access } from "./testing/places";

const report = { progress() {}, log() {} };
const never = new AbortController().signal;

async function givesBack(access: RepositoryAccess, diskBytes: number): Promise<void> {
  await makeRepository(access);
  await makeRepository(access);
  const first = randomBytes(diskBytes);
  const second = Buffer.concat([first.subarray(0, 2_000_000), randomBytes(100_000), first.subarray(2_000_000)]);
  const one = await keepCopy(access, diskOf(first), archivedVm, report, never);
  const two = await keepCopy(
    access,
    diskOf(second),
    { ...archivedVm, takenAt: "2026-11-23T10:00:00.000Z" },
    report,
    never,
  );
  expect(one.addedBytes).toBeGreaterThan(first.length);
  // What was there already is not stored again: the change touches two chunks, of at most 8 MiB (restic, "Design", chunks).
  expect(two.addedBytes).toBeLessThan(Math.max(first.length / 2, 2 * 8 * 1024 ** 2));
  expect(two.diskBytes).toBe(second.length);

  expect(await listCopies(access)).toEqual([
    { key: two.key, vmName: "web-1", takenAt: "2026-11-23T10:00:00.000Z" },
    { key: one.key, vmName: "web-1", takenAt: "2026-11-22T10:00:00.000Z" },
  ]);
  const fetched = await fetchCopy(access, one.key, folder(), report, never);
  expect(readFileSync(fetched.diskFile).equals(first)).toBe(true);
  expect(fetched.description).toEqual(archivedVm);

  await removeCopies(access, [one.key], never);
  await removeCopies(access, [one.key], never);
  expect((await listCopies(access)).map(({ key }) => key)).toEqual([two.key]);
}

test("a folder gives back what it was given, byte for byte", async () => {
  const path = folder();
  await givesBack(folderAccess(path), 40_000_000);
}, 300_000);

test("how many bytes have come back is told while a copy is made and while one is fetched", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const [written, seen] = [join(folder(), "written"), join(folder(), "seen")];
  const told: string[] = [];
  const telling: TaskReport = {
    ...report,
    progress(_percent, message, transfer) {
      if (!transfer) return;
      told.push(`${message}: ${transfer.doneBytes} of ${transfer.totalBytes}`);
      if (message === "Reading the copy" && transfer.doneBytes >= 100_000) writeFileSync(seen, "");
    },
  };
  const { key } = await keepCopy(access, diskOf(randomBytes(1_000_000)), archivedVm, telling, never);
  expect(told).toContain("Reading it back: 0 of 1000000");
  expect(told.at(-1)).toBe("Reading it back: 1000000 of 1000000");
  // Goes on only when it was told how much it has written.
  wrapRestic(["restore"], `printf '%100000s' x >${written}; while [ ! -e ${seen} ]; do sleep 0.1; done`);
  await fetchCopy(access, key, folder(), telling, never);
  expect(told).toContainEqual(expect.stringMatching(/^Reading the copy: 1\d{5} of 1000000$/));
}, 300_000);

test("UEFI variables are kept beside the disk, and a copy from before they were has none", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const before = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never);
  const workDir = diskOf(randomBytes(1000));
  writeFileSync(join(workDir, "uefi-variables.fd"), "variables");
  const { key } = await keepCopy(access, workDir, { ...archivedVm, firmware: "uefi" }, report, never);
  const fetched = await fetchCopy(access, key, folder(), report, never);
  expect(readFileSync(fetched.variablesFile ?? "", "utf8")).toBe("variables");
  expect((await fetchCopy(access, before.key, folder(), report, never)).variablesFile).toBeNull();
}, 300_000);

test.each<[string, string, RegExp]>([
  ["a login user that is an option", JSON.stringify({ ...archivedVm, loginUser: "-oProxyCommand=x" }), /of loginUser/],
  [
    "a key with a command",
    JSON.stringify({ ...archivedVm, sshKeys: [{ name: "a", publicKey: 'command="x" ssh-rsa A' }] }),
    /of sshKeys/,
  ],
  [
    "a system whose name has no end",
    JSON.stringify({ ...archivedVm, os: { family: "x".repeat(99), release: "1" } }),
    /of os/,
  ],
  ["words", "words", /is no JSON/],
  ["a description without end", " ".repeat(2 ** 20 + 1), /is too large/],
])(
  "a copy of another installation with %s is refused",
  async (_, said, why) => {
    const workDir = diskOf(randomBytes(1000));
    writeFileSync(join(workDir, "vm.json"), said);
    await expect(fetchForeign(workDir)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringMatching(why),
    });
  },
  300_000,
);

test("a copy of another installation whose disk is a way to another file is refused", async () => {
  const workDir = folder();
  writeFileSync(join(workDir, "vm.json"), JSON.stringify(archivedVm));
  symlinkSync("/etc/passwd", join(workDir, "disk.qcow2"));
  await expect(fetchForeign(workDir)).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringMatching(/has no disk\.qcow2/),
  });
}, 300_000);

/** Takes a copy that restic alone has made of a folder, whatever is in it. */
async function fetchForeign(workDir: string) {
  const access = folderAccess(folder());
  await makeRepository(access);
  const tags = ["--tag", "cumulus", "--tag", `vm=${archivedVm.name}`];
  await runRestic(access, ["backup", ...tags, ...readdirSync(workDir)], { cwd: workDir });
  const [copy] = await listCopies(access);
  return fetchCopy(access, copy?.key ?? "", folder(), report, never);
}

test("a bucket gives back what it was given, byte for byte", async () => {
  const { access, server } = await s3Access();
  await givesBack(access, 3_000_000);
  expect([...server.accessKeys]).toEqual(["the-key"]);
  expect([...server.objects.keys()].every((key) => key.startsWith("copies/cumulus/host/"))).toBe(true);
}, 300_000);

test("what a repository holds can't be read without its password", async () => {
  const path = folder();
  await makeRepository(folderAccess(path));
  const secret = Buffer.alloc(200_000, "the plain text of a disk ");
  const { key } = await keepCopy(folderAccess(path), diskOf(secret), archivedVm, report, never);
  const stored = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = stored.map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  expect(texts.some((text) => text.includes("plain text of a disk") || text.includes("web-1"))).toBe(false);
  const wrong = { ...folderAccess(path), password: "wrong password" };
  await expect(fetchCopy(wrong, key, folder(), report, never)).rejects.toMatchObject({
    code: "bad_request",
    fields: { password: expect.any(String) },
  });
}, 300_000);

test("a copy that the store spoils as it is written is refused, and listed nowhere", async () => {
  const { access, server } = await s3Access();
  await makeRepository(access);
  const disk = randomBytes(2_000_000);
  const good = await keepCopy(access, diskOf(disk), archivedVm, report, never);
  server.mood = "spoiling";
  await expect(keepCopy(access, diskOf(randomBytes(2_000_000)), archivedVm, report, never)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("The repository could not be used"),
  });
  expect((await listCopies(access)).map(({ key }) => key)).toEqual([good.key]);
  const { diskFile } = await fetchCopy(access, good.key, folder(), report, never);
  expect(readFileSync(diskFile).equals(disk)).toBe(true);
}, 300_000);

test("a copy that is not what its disk is when it is read back is refused, and listed nowhere", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const workDir = diskOf(randomBytes(100_000));
  const changing = {
    ...report,
    progress: (_percent: number, step: string) => {
      if (step === "Reading it back") writeFileSync(join(workDir, "disk.qcow2"), randomBytes(100_000));
    },
  };
  await expect(keepCopy(access, workDir, archivedVm, changing, never)).rejects.toMatchObject({
    message: expect.stringContaining("was not what it was given"),
  });
  expect(await listCopies(access)).toEqual([]);
}, 300_000);

test("a copy that can't be asked about once it is written is taken back", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const good = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never);
  const broken = breakRestic("snapshots");
  await expect(keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never)).rejects.toMatchObject({
    code: "unavailable",
  });
  broken.mend();
  expect((await listCopies(access)).map(({ key }) => key)).toEqual([good.key]);
}, 300_000);

test("a copy that could not be taken back either goes with the next try at the same backup", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const disk = diskOf(randomBytes(1000));
  const broken = breakRestic("snapshots", "forget");
  await expect(keepCopy(access, disk, archivedVm, report, never, "backup-1")).rejects.toMatchObject({
    code: "unavailable",
  });
  broken.mend();
  expect(await listCopies(access)).toHaveLength(1);
  const { key } = await keepCopy(access, disk, archivedVm, report, never, "backup-1");
  expect((await listCopies(access)).map((copy) => copy.key)).toEqual([key]);
}, 300_000);

test("a copy that restic kept and then ended with a complaint of is taken back", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const kept = diskOf(randomBytes(1000));
  const path = process.env.PATH ?? "";
  wrapRestic(["backup"], `PATH=${path} restic "$@"; echo "a file could not be read" >&2; exit 3`);
  await expect(keepCopy(access, kept, archivedVm, report, never)).rejects.toThrow();
  expect(await listCopies(access)).toEqual([]);
}, 300_000);

test("a copy whose description is not what it was when it is read back is refused, and listed nowhere", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const path = process.env.PATH ?? "";
  wrapRestic(["/vm.json"], `PATH=${path} restic "$@" | tr w v; exit 0`);
  await expect(keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never)).rejects.toMatchObject({
    message: expect.stringContaining("was not what it was given"),
  });
  expect(await listCopies(access)).toEqual([]);
}, 300_000);

test("a copy for which the host's disk has no room is refused before anything of it is written", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const { key } = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never);
  const { bavail, bsize } = statfsSync(tmpdir());
  // It says that it is larger than what is free.
  wrapRestic(["ls"], `echo '{"type":"file","size":${bavail * bsize * 2}}'; exit 0`);
  const workDir = folder();
  await expect(fetchCopy(access, key, workDir, report, never)).rejects.toMatchObject({
    code: "insufficient_capacity",
    message: expect.stringContaining("the copy needs"),
  });
  expect(readdirSync(workDir)).toEqual([]);
}, 300_000);

/** Until it is mended, restic fails at these commands. */
function breakRestic(...commands: string[]): { mend: () => void } {
  return wrapRestic(commands, "echo EOF >&2; exit 1");
}

/** Until it is mended, a shell carries this out before it becomes the restic of these commands. */
function wrapRestic(commands: string[], script: string): { mend: () => void } {
  const path = process.env.PATH ?? "";
  const programs = folder();
  const before = `case " $* " in ${commands.map((command) => `*" ${command} "*`).join("|")}) ${script};; esac`;
  writeFileSync(join(programs, "restic"), `#!/bin/sh\n${before}\nPATH=${path} exec restic "$@"\n`, { mode: 0o755 });
  process.env.PATH = `${programs}:${path}`;
  const mend = () => {
    process.env.PATH = path;
  };
  onTestFinished(mend);
  return { mend };
}

test("a repository that is damaged later is noticed when a copy is fetched", async () => {
  const path = folder();
  await makeRepository(folderAccess(path));
  const disk = randomBytes(2_000_000);
  const { key } = await keepCopy(folderAccess(path), diskOf(disk), archivedVm, report, never);
  const data = join(path, "data");
  const packs = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of packs) {
    const pack = readFileSync(join(parentPath, name));
    pack.fill(0, 100, Math.min(5_000, pack.length));
    rmSync(join(parentPath, name));
    writeFileSync(join(parentPath, name), pack);
  }
  await expect(fetchCopy(folderAccess(path), key, folder(), report, never)).rejects.toMatchObject({
    code: "unavailable",
  });
}, 300_000);

test("a lock of a run that was killed is no hindrance, and a run that lives is waited for", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const one = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never);
  const two = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never);
  const killed = await heldLock(access);
  killed.kill("SIGKILL");
  await removeCopies(access, [one.key], never);

  const living = await heldLock(access);
  const removing = removeCopies(access, [two.key], never);
  expect(await Promise.race([removing.then(() => "removed"), delay(1_500, "waits")])).toBe("waits");
  living.stdin?.end("x");
  await removing;
  expect((await listCopies(access)).map(({ vmName }) => vmName)).not.toContain("web-1");
}, 300_000);

/** A run that has the repository locked: it waits for what it is to keep. */
async function heldLock({ place, password }: RepositoryAccess) {
  const path = place.kind === "folder" ? place.path : "";
  const env = { ...process.env, RESTIC_PASSWORD: password, RESTIC_REPOSITORY: path };
  const run = spawn("restic", ["backup", "--no-cache", "--stdin"], { env, stdio: ["pipe", "ignore", "ignore"] });
  onTestFinished(() => void run.kill("SIGKILL"));
  await until(() => readdirSync(join(path, "locks")).length > 0);
  return run;
}
