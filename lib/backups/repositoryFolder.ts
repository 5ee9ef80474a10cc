import { readdir, realpath, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { RepositoryAccess } from "../domain/backup";
import { CumulusError, messageOf } from "../domain/errors";
import { isErrno } from "../system/files";
import { failureOf } from "./failure";

/**
 * Makes sure that a folder can become a repository, or is one. What an ended making of one left is taken out of its way.
 * @throws `bad_request` for one that is not there or holds other files, `unavailable` while another makes one of it
 */
export async function assertUsableFolder({ place }: RepositoryAccess): Promise<void> {
  if (place.kind !== "folder") return;
  const names = await readdir(place.path).catch((error: unknown) => {
    if (isErrno(error, "ENOENT", "ENOTDIR")) {
      throw refusedFolder(`There is no folder ${place.path} on the host. Make it, or mount the disk, then try again.`);
    }
    throw refusedFolder(failureOf(place, messageOf(error)).message);
  });
  const isRepository = names.includes("config") && names.includes("keys") && names.includes("data");
  if (names.length === 0 || isRepository || (await isHalfMade(place.path, names))) return;
  throw refusedFolder(`${place.path} holds other files. Choose an empty folder, or one that holds backups already.`);
}

/**
 * Makes sure that copies don't lie among what they are copies of, where they would take the VMs' room and be lost with them.
 * @throws `bad_request` for a folder of Cumulus' own
 */
export async function assertOutside({ place }: RepositoryAccess, dataDir: string): Promise<void> {
  if (place.kind !== "folder") return;
  // Of one that isn't there something else is told.
  const path = await realpath(place.path).catch(() => place.path);
  const way = relative(await realpath(dataDir), path);
  if (way === ".." || way.startsWith("../")) return;
  throw refusedFolder(
    `${place.path} is in the folder in which Cumulus keeps its VMs, ${dataDir}: backups there would be lost with them. Choose a folder elsewhere, on another disk.`,
  );
}

/** The longest that `restic init` needs between its first file and its last. */
const initMs = 10_000;

/** The folders that `restic init` makes, all of them before its first file: a key. */
const resticFolders = ["data", "index", "keys", "locks", "snapshots"];
/** A key is called by its SHA-256, and while it is written as Go calls temporary files. */
const keyName = /^[0-9a-f]{64}(-tmp-\d+)?$/;
const mostKeyBytes = 4096;

/**
 * Whether `restic init` was ended in there before it was done. The key that it may have left fits nothing, and would be tried first: it goes. Where
 * anything is that restic wouldn't have made, nothing goes.
 */
async function isHalfMade(path: string, names: string[]): Promise<boolean> {
  if (!names.every((name) => resticFolders.includes(name))) return false;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  if (files.length === 0) return true;
  if (!resticFolders.every((name) => names.includes(name))) return false;
  if (!files.every((file) => file.isFile() && file.parentPath === join(path, "keys") && keyName.test(file.name))) {
    return false;
  }
  const keys = files.map(({ name }) => join(path, "keys", name));
  const looks = await Promise.all(keys.map((key) => stat(key)));
  if (looks.some(({ size }) => size > mostKeyBytes)) return false;
  if (looks.some(({ mtimeMs }) => Date.now() - mtimeMs <= initMs)) {
    const message = `${path} was begun as a repository a moment ago and is none yet: try again.`;
    throw new CumulusError("unavailable", message, { retryAfterSeconds: initMs / 1000 });
  }
  for (const key of keys) await rm(key);
  return true;
}

function refusedFolder(message: string): CumulusError {
  return new CumulusError("bad_request", message, { fields: { "place.path": message } });
}
