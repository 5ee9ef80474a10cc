import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { archivedVm } from "../archives/testing/tar";
import { failureOf } from "./failure";
import { makeRepository } from "./repository";
import { runRestic } from "./restic";
import { keepCopy, listCopies } from "./store";
import { diskOf, folder, folderAccess, s3Access } from "./testing/places";

const report = { progress() {}, log() {} };
const never = new AbortController().signal;

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

test.each<[string, string, string[]]>([
  ["a private key alone", "keys/id_ed25519", ["keys"]],
  ["a private key in a repository's folders", "keys/id_ed25519", ["data", "index", "keys", "locks", "snapshots"]],
  ["a file of a key's name alone", `keys/${"a".repeat(64)}`, ["keys"]],
  [
    "a file of a key's name that is too large",
    `keys/${"b".repeat(64)}`,
    ["data", "index", "keys", "locks", "snapshots"],
  ],
  ["a file beside the keys", `index/${"a".repeat(64)}`, ["data", "index", "keys", "locks", "snapshots"]],
])("%s is no repository that is half made: nothing is removed", async (_, name, folders) => {
  const path = folder();
  for (const one of folders) mkdirSync(join(path, one));
  const content = name.includes("bbbb") ? "x".repeat(5_000) : "secret";
  writeFileSync(join(path, name), content);
  utimesSync(join(path, name), new Date(0), new Date(0));
  await expect(makeRepository(folderAccess(path))).rejects.toMatchObject({
    code: "bad_request",
    fields: { "place.path": expect.stringContaining("holds other files") },
  });
  expect(readFileSync(join(path, name), "utf8")).toBe(content);
  expect(readdirSync(path).sort()).toEqual(folders);
});

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

test("a store that doesn't know an access key, or knows it with another secret, has the product say which of them is wrong", async () => {
  const { access, server } = await s3Access();
  await makeRepository(access);
  const wellKept = server.objects.size;
  const wrong = [
    ["secretAccessKey", "The secret access key doesn't belong to this access key."],
    ["accessKeyId", "The store doesn't know this access key."],
  ] as const;
  for (const [field, message] of wrong) {
    const attempt = { ...access, place: { ...access.place, [field]: "another" } };
    const fields = { [`place.${field}`]: message };
    await expect(makeRepository(attempt)).rejects.toMatchObject({ code: "bad_request", message, fields });
    await expect(listCopies(attempt)).rejects.toMatchObject({ code: "unavailable", message, fields });
  }
  expect(server.objects.size).toBe(wellKept);
}, 60_000);

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
