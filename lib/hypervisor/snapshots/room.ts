import { statfs } from "node:fs/promises";
import { CumulusError } from "../../domain/errors";
import { MIB } from "../../domain/units";
import type { Settings } from "../../env";

/** What must stay free on the host's disk for everything else that goes on. */
const spareBytes = 16 * MIB;

/**
 * Makes sure that there is room for a snapshot.
 * @param memoryBytes what its memory takes beyond what is there already, once a copy was given up for want of room; 0: it is not kept
 * @throws `insufficient_capacity`
 */
export async function assertRoom({ dataDir }: Pick<Settings, "dataDir">, memoryBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  if (bavail * bsize >= memoryBytes + spareBytes) return;
  throw new CumulusError(
    "insufficient_capacity",
    "The disk of this host is too full for this snapshot: free some space on it. Deleting other snapshots alone may not do, since merging their layers takes room first.",
  );
}
