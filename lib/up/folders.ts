import { randomBytes } from "node:crypto";
import { access, chown, constants, lstat, open, statfs } from "node:fs/promises";
import { execa } from "execa";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { logFileOf } from "../log";
import { makeSharedFolder, type ServiceAccount, type ServiceRunner } from "../serviceAccount";
import { isErrno, readTextIfThere, writeFileAtomic } from "../system/files";

type Folders = Pick<Settings, "dataDir" | "runDir">;

const leastFreeBytes = 1024 ** 3;

/** Makes the data and the run folder. `unavailable` in one sentence when they can't be used or the disk is full. */
export async function makeFolders(settings: Folders, account: ServiceAccount | undefined): Promise<void> {
  for (const [what, path] of [
    ["data folder", settings.dataDir],
    ["run folder", settings.runDir],
    ["log folder", pathsOf(settings).logs],
  ] as const) {
    try {
      await refuseForeign(path);
      await makeSharedFolder(path, account);
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      if (error instanceof CumulusError) throw error;
      throw new CumulusError(
        "unavailable",
        `The ${what} ${path} is not writable (${messageOf(error)}): give it to your user, or set ${what === "run folder" ? "CUMULUS_RUN_DIR" : "CUMULUS_DATA_DIR"} to another one.`,
        { cause: error },
      );
    }
  }
  await requireFreeSpace(settings.dataDir);
}

/** A folder in /tmp may have been made by somebody else, who could then swap what lies in it. */
async function refuseForeign(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  });
  const own = process.getuid?.();
  if (found && own !== 0 && found.uid !== own) throw new Error("it belongs to another user");
}

async function requireFreeSpace(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const freeBytes = bavail * bsize;
  if (freeBytes >= leastFreeBytes) return;
  const freeMib = Math.floor(freeBytes / 1024 ** 2);
  throw new CumulusError(
    "unavailable",
    `The disk is full: ${path} has ${freeMib} MiB free and Cumulus needs 1 GiB. Free some, or set CUMULUS_DATA_DIR to a folder on another disk.`,
  );
}

/** `unavailable` when the service account can't reach the data or the run folder. */
export async function requireReachable(settings: Folders, runner: ServiceRunner): Promise<void> {
  for (const [variable, path] of [
    ["CUMULUS_DATA_DIR", settings.dataDir],
    ["CUMULUS_RUN_DIR", settings.runDir],
  ] as const) {
    const [file, ...args] = runner.command(["/usr/bin/test", "-x", path]);
    if ((await execa(file, args, { reject: false })).exitCode === 0) continue;
    throw new CumulusError(
      "unavailable",
      `The system user cumulus can't reach ${path}: let others pass through the folders above it (chmod o+x), or set ${variable} to another folder.`,
    );
  }
}

/** The console's secrets, made once: 64 hexadecimal digits each, for the console's eyes only. */
export async function makeSecrets(settings: Folders, account: ServiceAccount | undefined): Promise<void> {
  for (const path of [pathsOf(settings).adminToken, pathsOf(settings).authSecret]) {
    if (await readTextIfThere(path)) continue;
    await writeFileAtomic(path, randomBytes(32).toString("hex"));
    if (account) await chown(path, account.uid, account.gid);
  }
}

/** Log files of a process that may not write in the log folder itself, so that its log can still be turned. */
export async function makeLogFiles(
  name: string,
  settings: Folders,
  account: ServiceAccount | undefined,
): Promise<void> {
  for (const path of [logFileOf(name, settings), `${logFileOf(name, settings)}.1`]) {
    const file = await open(path, "a", 0o600);
    try {
      if (account) await file.chown(account.uid, account.gid);
    } finally {
      await file.close();
    }
  }
}
