import { stat } from "node:fs/promises";
import { noNetworks } from "../../domain/hostNetwork";
import type { Settings } from "../../env";
import { listQemuProcesses } from "../../system/platform";
import { networkNames } from "./names";
import { removeNetworks } from "./removeNetworks";
import { readNetworkState, writeNetworkState } from "./stateFile";

/**
 * Removes bridges that an agent with bridges has left, and what they were asked to be, unless VMs still run on them: these keep their network until they stop.
 * @returns whether any are left
 */
export async function removeUnusedBridges({ dataDir, runDir }: Pick<Settings, "dataDir" | "runDir">): Promise<boolean> {
  const { namespacePath, folder } = networkNames(runDir);
  const namespace = await inodeOf(namespacePath);
  if (namespace !== null) {
    for (const { pid } of await listQemuProcesses()) {
      if ((await inodeOf(`/proc/${pid}/ns/net`)) === namespace) return true;
    }
  }
  // Of a removal that was cut short, the folder is there to the last.
  if (namespace !== null || (await inodeOf(folder)) !== null) await removeNetworks(runDir);
  const { networks } = await readNetworkState(dataDir);
  if (networks.length > 0) await writeNetworkState(dataDir, noNetworks);
  return false;
}

/** A namespace is told by the inode that its files lead to (namespaces(7)). */
async function inodeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ ino }) => ino,
    () => null,
  );
}
