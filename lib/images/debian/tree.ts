import { lstat, lutimes, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { toolTree } from "../tools";
import type { Tree } from "./rootFileSystem";

/**
 * Unpacks the system. Times of files that the build made, and that are later than any package's, become the newest one of a package's
 * file: what is built another day from the same packages is the same.
 * @param startedAt when the build began, in seconds since 1970: files made since are the build's
 */
export async function unpackTree(
  archive: string,
  scratch: string,
  startedAt: number,
  signal: AbortSignal,
): Promise<Tree> {
  const root = join(scratch, "tree");
  await mkdir(root, { mode: 0o755 });
  const tar = ["tar", "-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f", archive, "-C", root];
  const isRoot = process.getuid?.() === 0;
  const fakerootState = isRoot ? null : join(scratch, "fakeroot.state");
  const argv = fakerootState === null ? tar : ["fakeroot", "-s", fakerootState, "--", ...tar];
  await toolTree("nice", argv, { cancelSignal: signal });
  const times = await timesIn(root);
  const epoch = [...times.values()].reduce((newest, time) => (time < startedAt && time > newest ? time : newest), 0);
  for (const [path, time] of times) if (time > epoch) await lutimes(path, epoch, epoch);
  return { root, fakerootState, epoch };
}

/** All paths in the tree, folders after what is in them, with their times of modification in whole seconds. */
async function timesIn(root: string): Promise<Map<string, number>> {
  // With file types, since without them Node goes through links to folders.
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .reverse();
  const times = new Map<string, number>();
  for (const path of [...paths, root]) times.set(path, Math.floor((await lstat(path)).mtimeMs / 1000));
  return times;
}
