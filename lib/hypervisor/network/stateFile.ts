import { join } from "node:path";
import { type NetworkState, networkStateSchema, noNetworks } from "../../domain/hostNetwork";
import { readTextIfThere, writeFileAtomic } from "../../system/files";

function pathIn(dataDir: string): string {
  return join(dataDir, "networks.json");
}

/** The state that was last asked for; none when there never was one. Rejects when it can't be read. */
export async function readNetworkState(dataDir: string): Promise<NetworkState> {
  const text = await readTextIfThere(pathIn(dataDir));
  return text === null ? noNetworks : networkStateSchema.parse(JSON.parse(text));
}

export async function writeNetworkState(dataDir: string, state: NetworkState): Promise<void> {
  await writeFileAtomic(pathIn(dataDir), `${JSON.stringify(state, null, 2)}\n`);
}
