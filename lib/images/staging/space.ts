import { statfs } from "node:fs/promises";
import { CumulusError } from "../../domain/errors";
import { formatBytes } from "../../domain/units";

/**
 * Makes sure that a folder's disk can take so many more bytes and keep its reserve, which the VMs on it need.
 * @throws `insufficient_capacity`
 */
export async function assertSpace(
  folder: string,
  neededBytes: number,
  reserveBytes: number,
  what = "the image",
): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + reserveBytes) return;
  throw new CumulusError(
    "insufficient_capacity",
    `This host's disk has ${formatBytes(freeBytes)} free: ${formatBytes(reserveBytes)} must stay free for its VMs, and ${what} needs ${neededBytes > 0 ? formatBytes(neededBytes) : "more"}. Free some space and try again.`,
  );
}
