import { chmod, copyFile, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { filesUnder } from "../sourceFiles";
import { guestDir, prunedPaths } from "./recipe";

/** Folders of a Debian root that the packages expect, as links into /usr ("merged /usr"). */
const usrLinks = ["bin", "sbin", "lib", "lib64"];
const emptyDirs = ["dev", "proc", "sys", "run", "tmp", "mnt", "media", "home", "root", "boot", "opt", "srv", "var/tmp"];

const links = {
  "usr/sbin/init": "../bin/busybox",
  "etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
  "etc/mtab": "/proc/self/mounts",
  // Where udhcpc looks for it when nobody says another.
  "etc/udhcpc/default.script": "/usr/lib/cumulus/dhcp-lease",
  // Written at boot, in RAM.
  "etc/resolv.conf": "/run/cumulus/resolv.conf",
};

/** Makes the empty tree that packages are then extracted into. */
export async function layOutRoot(root: string): Promise<void> {
  for (const link of usrLinks) {
    await mkdir(join(root, "usr", link), { recursive: true });
    await symlink(join("usr", link), join(root, link));
  }
  for (const dir of [...emptyDirs, "etc/dropbear", "etc/sudoers.d", "etc/udhcpc", "var/log", "var/lib/cumulus"])
    await mkdir(join(root, dir), { recursive: true });
  await symlink("/run", join(root, "var", "run"));
}

/** Turns extracted packages into the root of a machine that can boot. */
export async function finishRoot(options: {
  root: string;
  /** What it is made from, for people: "Debian 12". */
  basedOn: string;
}): Promise<void> {
  const { root, basedOn } = options;
  await prune(root);
  await copyGuestFiles(root, basedOn);
  await linkApplets(root);
  await writeAccounts(root);
  for (const [link, target] of Object.entries(links)) await symlink(target, join(root, link));
  await setModes(root);
}

async function prune(root: string): Promise<void> {
  const [libDir = ""] = (await readdir(join(root, "usr/lib"))).filter((name) => name.endsWith("-linux-gnu"));
  for (const path of prunedPaths) {
    await rm(join(root, path.replace("LIBDIR", libDir)), { recursive: true, force: true });
  }
}

/** Makes a link for each applet whose name no other package took. */
async function linkApplets(root: string): Promise<void> {
  for (const applet of appletsOf(await readFile(join(root, "usr/bin/busybox")))) {
    const isThere = await Promise.all(["bin", "sbin"].map((dir) => exists(join(root, "usr", dir, applet))));
    if (!isThere.includes(true)) await symlink("busybox", join(root, "usr/bin", applet));
  }
}

/** The applets of a BusyBox binary of any architecture: it holds their names, NUL-separated and sorted, from `[` on. */
export function appletsOf(binary: Buffer): string[] {
  const start = binary.indexOf("\0[\0[[\0");
  if (start < 0) throw new Error("This BusyBox holds no table of applets that starts with [ and [[.");
  const end = binary.indexOf("\0\0", start);
  return binary.toString("latin1", start + 1, end).split("\0");
}

/** Copies `guest/root` over the tree; what starts with `#!` is executable. */
async function copyGuestFiles(root: string, basedOn: string): Promise<void> {
  const source = join(guestDir, "root");
  for (const file of filesUnder(source)) {
    const target = join(root, file.slice(source.length));
    await mkdir(dirname(target), { recursive: true });
    const content = await readFile(file, "utf8");
    await writeFile(target, content.replaceAll("@BASED_ON@", basedOn));
    await chmod(target, content.startsWith("#!") ? 0o755 : 0o644);
  }
  await chmod(join(root, "etc/sudoers"), 0o440);
}

/** Debian's own users and groups (base-passwd), all without a password. */
async function writeAccounts(root: string): Promise<void> {
  const masters = join(root, "usr/share/base-passwd");
  const users = await readFile(join(masters, "passwd.master"), "utf8");
  const names = users.split("\n").flatMap((line) => (line.includes(":") ? [line.split(":", 1)[0]] : []));
  await writeFile(join(root, "etc/passwd"), users.replaceAll(/^([^:]+):[^:]*:/gm, "$1:x:"));
  await writeFile(join(root, "etc/shadow"), names.map((name) => `${name}:*:19000:0:99999:7:::\n`).join(""), {
    mode: 0o600,
  });
  await copyFile(join(masters, "group.master"), join(root, "etc/group"));
  for (const file of ["passwd", "group"]) await chmod(join(root, "etc", file), 0o644);
  await rm(masters, { recursive: true });
}

/** Makes the tree's modes independent of our umask, and of group ids that only the building host knows. */
async function setModes(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    if (!entry.isFile()) continue;
    const { mode } = await lstat(path);
    if (mode & 0o2000) await chmod(path, mode & 0o5777);
  }
  for (const dir of ["tmp", "var/tmp"]) await chmod(join(root, dir), 0o1777);
  for (const dir of ["root", "var/lib/cumulus"]) await chmod(join(root, dir), 0o700);
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
