import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { settleTimes } from "../fileTimes";
import { toolTree } from "../tools";
import type { Tree } from "./rootFileSystem";

/**
 * Unpacks the system, with times that are the packages'.
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
  return { root, fakerootState, epoch: await settleTimes(root, startedAt) };
}
