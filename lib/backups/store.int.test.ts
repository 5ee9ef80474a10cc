import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { archivedVm } from "../archives/testing/tar";
import type { RepositoryAccess } from "../domain/backup";
import { until } from "../hypervisor/testing/until";
import { failureOf } from "./failure";
import { makeRepository, runRestic } from "./restic";
import { fetchCopy, keepCopy, listCopies, removeCopies } from "./store";
import { startS3Server } from "./testing/s3Server";

const report = { progress() {}, log() {} };
const never = new AbortController().signal;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "backups-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function folderAccess(path: string): RepositoryAccess {
  return { place: { kind: "folder", path }, password: "correct horse" };
}

function diskOf(content: Buffer): string {
  const workDir = folder();
  writeFileSync(join(workDir, "disk.qcow2"), content);
  return workDir;
}

async function s3Access(): Promise<{ access: RepositoryAccess; server: Awaited<ReturnType<typeof startS3Server>> }> {
  const server = await startS3Server();
  onTestFinished(() => server.close());
  const place = {
    kind: "s3" as const,
    endpoint: server.endpoint,
    bucket: "copies",
    prefix: "cumulus/host",
    accessKeyId: "the-key",
    secretAccessKey: "the-secret",
  };
  return { access: { place, password: "correct horse" }, server };
}

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
  const fetched = await fetchCopy(access, one.key, folder(), never);
  expect(readFileSync(fetched.diskFile).equals(first)).toBe(true);
  expect(fetched.description).toEqual(archivedVm);

  await removeCopies(access, [one.key], never);
  await removeCopies(access, [one.key], never);
  expect((await listCopies(access)).map(({ key }) => key)).toEqual([two.key]);
}

test("a folder gives back what it was given, byte for byte", async () => {
  const path = folder();
  await givesBack(folderAccess(path), 40_000_000);
}, 120_000);

test("UEFI variables are kept beside the disk, and a copy from before they were has none", async () => {
  const access = folderAccess(folder());
  await makeRepository(access);
  const before = await keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never);
  const workDir = diskOf(randomBytes(1000));
  writeFileSync(join(workDir, "uefi-variables.fd"), "variables");
  const { key } = await keepCopy(access, workDir, { ...archivedVm, firmware: "uefi" }, report, never);
  const fetched = await fetchCopy(access, key, folder(), never);
  expect(readFileSync(fetched.variablesFile ?? "", "utf8")).toBe("variables");
  expect((await fetchCopy(access, before.key, folder(), never)).variablesFile).toBeNull();
}, 60_000);

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
  60_000,
);

test("a copy of another installation whose disk is a way to another file is refused", async () => {
  const workDir = folder();
  writeFileSync(join(workDir, "vm.json"), JSON.stringify(archivedVm));
  symlinkSync("/etc/passwd", join(workDir, "disk.qcow2"));
  await expect(fetchForeign(workDir)).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringMatching(/has no disk\.qcow2/),
  });
}, 60_000);

/** Takes a copy that restic alone has made of a folder, whatever is in it. */
async function fetchForeign(workDir: string) {
  const access = folderAccess(folder());
  await makeRepository(access);
  const tags = ["--tag", "cumulus", "--tag", `vm=${archivedVm.name}`];
  await runRestic(access, ["backup", ...tags, ...readdirSync(workDir)], { cwd: workDir });
  const [copy] = await listCopies(access);
  return fetchCopy(access, copy?.key ?? "", folder(), never);
}

test("a bucket gives back what it was given, byte for byte", async () => {
  const { access, server } = await s3Access();
  await givesBack(access, 3_000_000);
  expect([...server.accessKeys]).toEqual(["the-key"]);
  expect([...server.objects.keys()].every((key) => key.startsWith("copies/cumulus/host/"))).toBe(true);
}, 120_000);

test("what a repository holds can't be read without its password", async () => {
  const path = folder();
  await makeRepository(folderAccess(path));
  const secret = Buffer.alloc(200_000, "the plain text of a disk ");
  const { key } = await keepCopy(folderAccess(path), diskOf(secret), archivedVm, report, never);
  const stored = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = stored.map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  expect(texts.some((text) => text.includes("plain text of a disk") || text.includes("web-1"))).toBe(false);
  const wrong = { ...folderAccess(path), password: "wrong password" };
  await expect(fetchCopy(wrong, key, folder(), never)).rejects.toMatchObject({
    code: "bad_request",
    fields: { password: expect.any(String) },
  });
}, 60_000);

test("a damaged repository is noticed when the copy is read back", async () => {
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
  await expect(fetchCopy(folderAccess(path), key, folder(), never)).rejects.toMatchObject({ code: "unavailable" });
}, 60_000);

test("a repository whose making was cut short is made again, unless it is being made right now", async () => {
  const path = folder();
  for (const name of ["data/00", "keys", "index", "locks", "snapshots"])
    mkdirSync(join(path, name), { recursive: true });
  const key = join(path, "keys", "a".repeat(64));
  writeFileSync(key, "{}");
  await expect(makeRepository(folderAccess(path))).rejects.toMatchObject({ code: "unavailable" });
  utimesSync(key, new Date(0), new Date(0));
  await makeRepository(folderAccess(path));
  expect(await listCopies(folderAccess(path))).toEqual([]);
  expect(readdirSync(join(path, "keys"))).toEqual([expect.not.stringMatching(/^a+$/)]);
}, 60_000);

test("a folder with other files is left alone, and one that isn't there is not made", async () => {
  const path = folder();
  writeFileSync(join(path, "thesis.txt"), "my thesis");
  mkdirSync(join(path, "photos"));
  await expect(makeRepository(folderAccess(path))).rejects.toMatchObject({ code: "bad_request" });
  expect(readdirSync(path).sort()).toEqual(["photos", "thesis.txt"]);
  await expect(makeRepository(folderAccess(join(path, "none")))).rejects.toMatchObject({ code: "bad_request" });
});

test("a repository that is gone is said to be, and no other is made in its place", async () => {
  const path = folder();
  const access = folderAccess(path);
  await makeRepository(access);
  // As when the disk isn't mounted.
  for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true });
  const gone = { code: "unavailable", message: expect.stringContaining("mounted?") };
  await expect(keepCopy(access, diskOf(randomBytes(1000)), archivedVm, report, never)).rejects.toMatchObject(gone);
  await expect(listCopies(access)).rejects.toMatchObject(gone);
  rmSync(path, { recursive: true });
  await expect(listCopies(access)).rejects.toMatchObject(gone);
}, 60_000);

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
}, 120_000);

/** A run that has the repository locked: it waits for what it is to keep. */
async function heldLock({ place, password }: RepositoryAccess) {
  const path = place.kind === "folder" ? place.path : "";
  const env = { ...process.env, RESTIC_PASSWORD: password, RESTIC_REPOSITORY: path };
  const run = spawn("restic", ["backup", "--no-cache", "--stdin"], { env, stdio: ["pipe", "ignore", "ignore"] });
  onTestFinished(() => void run.kill("SIGKILL"));
  await until(() => readdirSync(join(path, "locks")).length > 0);
  return run;
}

const isGone = /There is no repository .* any more/;

test("a store that is away, busy or refuses is said to be, and not taken for one without a repository", async () => {
  const { access, server } = await s3Access();
  await makeRepository(access);
  const wellKept = server.objects.size;
  const said = async () => {
    const opened = await listCopies(access).catch((error: Error) => error);
    const made = await makeRepository(access).catch((error: Error) => error);
    expect(opened).toMatchObject({ code: "unavailable", message: expect.not.stringMatching(isGone) });
    expect(server.objects.size).toBe(wellKept);
    return made;
  };

  server.mood = { status: 403, code: "AccessDenied", message: "Access Denied." };
  expect(await said()).toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("refuses this key access to the bucket copies"),
    fields: { "place.accessKeyId": expect.any(String) },
  });
  server.mood = { status: 403, code: "InvalidAccessKeyId", message: "The Access Key Id you provided does not exist." };
  expect(await said()).toMatchObject({ code: "bad_request", fields: { "place.accessKeyId": expect.any(String) } });
  server.mood = {
    status: 403,
    code: "SignatureDoesNotMatch",
    message: "The request signature we calculated does not match the signature you provided.",
  };
  expect(await said()).toMatchObject({ code: "bad_request", fields: { "place.secretAccessKey": expect.any(String) } });
  server.mood = "portal";
  expect(await said()).toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("no store that speaks S3"),
  });
  server.mood = { status: 429, code: "TooManyRequests", message: "Please reduce your request rate." };
  expect(await said()).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("is busy"),
    fields: undefined,
  });
  await server.close();
  expect(await said()).toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("doesn't answer"),
    fields: { "place.endpoint": expect.any(String) },
  });
}, 120_000);

test("a missing bucket that the key may not make is said to be missing", async () => {
  const { access, server } = await s3Access();
  server.mood = { status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist" };
  await expect(makeRepository(access)).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("There is no bucket copies"),
    fields: { "place.bucket": expect.any(String) },
  });
}, 60_000);

test("a store that keeps nothing is no repository", async () => {
  const { access, server } = await s3Access();
  server.mood = "forgetful";
  await expect(makeRepository(access)).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("doesn't keep what is written to it"),
  });
}, 60_000);

test("a store that takes requests and answers none is waited for no longer than the limit", async () => {
  const { access, server } = await s3Access();
  await makeRepository(access);
  server.mood = "deaf";
  await expect(makeRepository(access, { timeoutMs: 2_000 })).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("didn't answer within 2 seconds"),
    fields: { "place.endpoint": expect.any(String) },
  });
  await expect(runRestic(access, ["snapshots", "--json"], { stallMs: 2_000 })).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("stopped answering"),
  });
}, 60_000);

test("a copy that fails because the store stops answering is said to, while restic tells that it goes on", async () => {
  const { access, server } = await s3Access();
  await makeRepository(access);
  const workDir = diskOf(randomBytes(50_000_000));
  const copying = runRestic(access, ["backup", "--json", "disk.qcow2"], { cwd: workDir, stallMs: 2_000 }, () => {
    server.mood = "deaf";
  });
  await expect(copying).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("stopped") });
}, 60_000);

test("words of a folder's file system are told as what they mean", () => {
  const folderAt = { kind: "folder", path: "/mnt/nas" } as const;
  const said = (words: string) =>
    failureOf(
      folderAt,
      `Fatal: unable to open config file: stat /mnt/nas/config: ${words}\nIs there a repository at the following location?\n/mnt/nas`,
    );
  expect(said("no such file or directory").code).toBe("not_found");
  for (const words of ["permission denied", "input/output error", "stale NFS file handle", "read-only file system"]) {
    expect(said(words)).toMatchObject({ code: "unavailable", fields: { "place.path": expect.any(String) } });
  }
});
