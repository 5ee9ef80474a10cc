import { lstat, lutimes, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes times of a tree's files those of the packages: what the build made itself, later than any package's file, gets the newest time of
 * a package's file. What is built another day from the same packages is the same.
 * @param startedAt when the build began, in seconds since 1970: files made since are the build's
 * @returns that newest time, for every time of the disk that would be the build's
 */
export async function settleTimes(root: string, startedAt: number): Promise<number> {
  const times = await timesIn(root);
  const epoch = [...times.values()].reduce((newest, time) => (time < startedAt && time > newest ? time : newest), 0);
  await setTimes(times, epoch);
  return epoch;
}

/** Gives every file and folder below, and the folder itself, one time of modification. */
export async function setAllTimes(folder: string, epoch: number): Promise<void> {
  await setTimes(await timesIn(folder), epoch, -1);
}

async function setTimes(times: Map<string, number>, epoch: number, above = epoch): Promise<void> {
  for (const [path, time] of times) if (time > above) await lutimes(path, epoch, epoch);
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

type Run = (program: string, args: string[]) => Promise<{ stdout?: unknown }>;

/** Inodes before the eleventh are the file system's own (ext4's layout); of those only the root, 2, has been copied. */
const firstInode = 11;
const rootInode = 2;

/**
 * Sets each file's times of reading and of change in an ext4 file system that mke2fs has just filled: it copies them, and they are the build's.
 * @param startBytes where on the disk the file system begins
 */
export async function setInodeTimes(disk: string, startBytes: number, epoch: number, run: Run): Promise<void> {
  const fileSystem = `${disk}?offset=${startBytes}`;
  const header = String((await run("dumpe2fs", ["-h", fileSystem])).stdout);
  const count = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)$`, "m").exec(header)?.[1]);
  // mke2fs takes inodes in turn, so that those in use are the first.
  const last = count("Inode count") - count("Free inodes");
  const inodes = [rootInode, ...Array.from({ length: last - firstInode + 1 }, (_, index) => firstInode + index)];
  const set = (inode: number) => ["ctime", "atime"].map((field) => `set_inode_field <${inode}> ${field} @${epoch}\n`);
  const commands = `${disk}.debugfs`;
  await writeFile(commands, inodes.flatMap(set).join(""));
  await run("debugfs", ["-w", "-f", commands, fileSystem]);
  await rm(commands);
}
