import { stat } from "node:fs/promises";
import { type NetworkState, noNetworks, stateOfHosts } from "../../domain/hostNetwork";
import { networkFingerprint } from "../../domain/networkFingerprint";
import type { Settings } from "../../env";
import type { Log } from "../../system/log";
import type { UserScheme } from "../../system/machineUsers";
import { listQemuProcesses } from "../../system/platform";
import { BridgeNetworks } from "./bridgeNetworks";
import { readLinks } from "./linkFacts";
import { networkNames, tapName } from "./names";
import { removeNetworks } from "./removeNetworks";
import { readNetworkState, writeNetworkState } from "./stateFile";

/**
 * Bridges that an agent with bridges has left. VMs that still run on them keep their network until they stop: what is asked for of it goes on being brought
 * about, and what is there of others goes.
 */
export class BridgeLeftovers {
  private readonly bridges: BridgeNetworks;
  private asked: NetworkState | null = null;
  private work: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: Settings,
    users: UserScheme,
    log: Log,
  ) {
    this.bridges = new BridgeNetworks(settings, users, log, "VMs still run on them.");
  }

  /** Brings them to what is asked for, of which VMs that run on no bridge are no part. */
  apply(state: NetworkState): Promise<boolean> {
    this.asked = state;
    return this.settle();
  }

  /** Removes what no VM needs any more. @returns whether VMs still run on them */
  settle(): Promise<boolean> {
    const settled = this.work.catch(() => undefined).then(() => this.settleNow());
    this.work = settled;
    return settled;
  }

  private async settleNow(): Promise<boolean> {
    const { dataDir, runDir } = this.settings;
    const { namespacePath, folder } = networkNames(runDir);
    const namespace = await inodeOf(namespacePath);
    const kept = await readNetworkState(dataDir);
    if (namespace !== null && (await hasQemu(namespace))) {
      const links = await readLinks(namespacePath);
      const hosts = kept.networks
        .flatMap((network) => network.hosts)
        .filter((host) => links.get(tapName(host))?.hasCarrier);
      const wanted = stateOfHosts(this.asked ?? kept, hosts);
      if (networkFingerprint(wanted) !== this.bridges.applied) await this.bridges.apply(wanted);
      return true;
    }
    // Of a removal that was cut short, the folder is there to the last.
    if (namespace !== null || (await inodeOf(folder)) !== null) await removeNetworks(runDir);
    if (kept.networks.length > 0) await writeNetworkState(dataDir, noNetworks);
    return false;
  }
}

async function hasQemu(namespace: number): Promise<boolean> {
  for (const { pid } of await listQemuProcesses()) {
    if ((await inodeOf(`/proc/${pid}/ns/net`)) === namespace) return true;
  }
  return false;
}

/** A namespace is told by the inode that its files lead to (namespaces(7)). */
async function inodeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ ino }) => ino,
    () => null,
  );
}
