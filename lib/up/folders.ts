import { randomBytes } from "node:crypto";
import { access, chmod, chown, constants, lstat, mkdir, open, statfs } from "node:fs/promises";
import { execa } from "execa";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { readTextIfThere, writeFileAtomic } from "../hypervisor/files";
import { logFileOf } from "../log";
import type { ServiceAccount, ServiceRunner } from "../serviceAccount";

type Folders = Pick<Settings, "dataDir" | "runDir">;

const leastFreeBytes = 1024 ** 3;

/** Makes the data and the run folder. `unavailable` in one sentence when they can't be used or the disk is full. */
export async function makeFolders(settings: Folders, account: ServiceAccount | undefined): Promise<void> {
  // Root's processes and the service account's pass through; what is in them is each one's own.
  const mode = account ? 0o711 : 0o700;
  for (const [what, path] of [
    ["data folder", settings.dataDir],
    ["run folder", settings.runDir],
    ["log folder", pathsOf(settings).logs],
  ] as const) {
    try {
      await mkdir(path, { recursive: true, mode });
      await refuseForeign(path);
      await chmod(path, mode);
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
  const found = await lstat(path);
  const own = process.getuid?.();
  if (found.isDirectory() && own !== 0 && found.uid !== own) throw new Error("it belongs to another user");
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

/** `unavailable` when the service account can't reach the data folder. */
export async function requireReachable(settings: Folders, runner: ServiceRunner): Promise<void> {
  const [file, ...args] = runner.command(["/usr/bin/test", "-x", settings.dataDir]);
  if ((await execa(file, args, { reject: false })).exitCode === 0) return;
  throw new CumulusError(
    "unavailable",
    `The system user cumulus can't reach the data folder ${settings.dataDir}: let others pass through the folders above it (chmod o+x), or set CUMULUS_DATA_DIR to another one.`,
  );
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
