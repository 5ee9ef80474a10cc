import { stat } from "node:fs/promises";
import { type NetworkState, noNetworks, stateOfHosts } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import { networkFingerprint } from "../../domain/networkFingerprint";
import type { Settings } from "../../env";
import type { Log } from "../../system/log";
import type { UserScheme } from "../../system/machineUsers";
import { listQemuProcesses } from "../../system/platform";
import { BridgeNetworks } from "./bridgeNetworks";
import type { DiagnosedVm } from "./hostNetworks";
import { readLinks } from "./linkFacts";
import { networkNames, tapName } from "./names";
import { readNetworkState, writeNetworkState } from "./stateFile";

/**
 * Bridges that an agent with bridges has left. VMs that still run on them keep their network until they stop: what is asked for of it goes on being brought
 * about and looked after, and what is there of others goes.
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

  /** Brings them to what is asked for, of which VMs that run on no bridge are no part. @returns as `settle` does */
  apply(state: NetworkState): Promise<boolean> {
    this.asked = state;
    return this.inTurn(true);
  }

  /** Removes what no VM needs any more. @returns whether VMs still run on them */
  settle(): Promise<boolean> {
    return this.inTurn(false);
  }

  /** For a VM that still runs on a bridge. */
  diagnose(vm: DiagnosedVm, link: NetworkInterface, port: number) {
    return this.bridges.diagnose(vm, link, port);
  }

  /** Lets go without changing anything. */
  async close(): Promise<void> {
    await this.work.catch(() => undefined);
    await this.bridges.close();
  }

  /** @param isAnew also what is in effect is looked at */
  private inTurn(isAnew: boolean): Promise<boolean> {
    const settled = this.work.catch(() => undefined).then(() => this.settleNow(isAnew));
    this.work = settled;
    return settled;
  }

  private async settleNow(isAnew: boolean): Promise<boolean> {
    const { namespacePath, folder } = networkNames(this.settings.runDir);
    const namespace = await inodeOf(namespacePath);
    if (namespace !== null && (await hasQemu(namespace))) {
      await this.keep(namespacePath, isAnew);
      return true;
    }
    // Of a removal that was cut short, the folder is there to the last.
    if (namespace !== null || (await inodeOf(folder)) !== null) await this.bridges.apply(noNetworks);
    else await this.forget();
    return false;
  }

  private async keep(namespacePath: string, isAnew: boolean): Promise<void> {
    const state = this.asked ?? (await readNetworkState(this.settings.dataDir));
    const links = await readLinks(namespacePath);
    const hosts = state.networks
      .flatMap((network) => network.hosts)
      .filter((host) => {
        const tap = links.get(tapName(host));
        // One that is down tells nothing of who holds it.
        return tap !== undefined && (tap.hasCarrier || !tap.isUp);
      });
    // Without any, all of it would go, and a QEMU is in there.
    if (hosts.length === 0) return;
    const wanted = stateOfHosts(state, hosts);
    this.bridges.watch();
    if (isAnew || networkFingerprint(wanted) !== this.bridges.applied) await this.bridges.apply(wanted);
  }

  /** What is written down of networks that are gone. What can't be read tells nothing either. */
  private async forget(): Promise<void> {
    const { dataDir } = this.settings;
    const kept = await readNetworkState(dataDir).catch(() => null);
    if (kept === null || kept.networks.length > 0) await writeNetworkState(dataDir, noNetworks);
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
