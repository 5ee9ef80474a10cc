import { stat } from "node:fs/promises";
import { setInodeTimes } from "../fileTimes";
import { tool, toolTree } from "../tools";
import { layout } from "./recipe";

/** An unpacked system, as the disk is to hold it. */
export interface Tree {
  /** Its folder. */
  root: string;
  /** What fakeroot remembers of to whom the files belong; null where the builder is root and they really do. */
  fakerootState: string | null;
  /** The newest time of a file in it, in seconds since 1970: taken for every time of the disk that would be the build's. */
  epoch: number;
}

/**
 * Writes the root file system into its partition; the same tree gives the same bytes.
 */
export async function writeRootFileSystem(disk: string, tree: Tree, signal: AbortSignal): Promise<void> {
  const { startBytes, uuid, hashSeed } = layout.root;
  const { size } = await stat(disk);
  // The backup of the partition table takes the last 33 sectors.
  const sizeBytes = size - startBytes - 1024 * 1024;
  const options = [`offset=${startBytes}`, "root_owner=0:0", "lazy_itable_init=1", `hash_seed=${hashSeed}`];
  const args = [
    ...["-q", "-F", "-t", "ext4", "-b", "4096", "-L", "root", "-U", uuid, "-m", "1", "-i", "16384"],
    // What GRUB 2.06 can't read, newer tools would turn on.
    ...["-O", "^metadata_csum_seed", "-E", options.join(","), "-d", tree.root, disk, `${sizeBytes / 1024}k`],
  ];
  const shared = { env: { E2FSPROGS_FAKE_TIME: String(tree.epoch) }, cancelSignal: signal };
  const run = (program: string, args: string[]) => tool(program, args, shared);
  if (tree.fakerootState === null) await run("mke2fs", args);
  else await toolTree("fakeroot", ["-i", tree.fakerootState, "--", "mke2fs", ...args], shared);
  await setInodeTimes(disk, startBytes, tree.epoch, run);
}
