import { overlaps } from "../../domain/cidrs";
import { machineSpecSchema } from "../../domain/machine";
import { pathsOf, type Settings } from "../../env";
import { readTextIfThere } from "../../system/files";
import type { Log } from "../../system/log";
import type { UserScheme } from "../../system/machineUsers";
import { listMachineIds } from "../folders";
import { machinePaths } from "../machinePaths";
import { BridgeNetworks } from "./bridgeNetworks";
import type { HostNetworks } from "./hostNetworks";
import { networkNames } from "./names";
import { chooseDriver, type DriverChoice } from "./prerequisites";
import { occupiedCidrs } from "./uplink";
import { UserNetworks } from "./userNetworks";

/** The networks of this computer, by the driver that it can have and is asked for. */
export async function createHostNetworks(settings: Settings, users: UserScheme, log: Log): Promise<HostNetworks> {
  const { driver, reason } = await stayingReachable(settings, await chooseDriver(settings, users));
  log.info({ driver, reason }, "the networks of this host");
  return driver === "bridge"
    ? new BridgeNetworks(settings, users, log, reason)
    : new UserNetworks(settings, users, log, reason);
}

/**
 * An installation whose VMs all came about in user mode isn't moved to bridges by itself where its host has another way to their addresses: there they would be
 * reached no more.
 */
async function stayingReachable(settings: Settings, choice: DriverChoice): Promise<DriverChoice> {
  if (settings.network !== "auto" || choice.driver !== "bridge") return choice;
  const links = (await readSpecs(settings)).flatMap(({ interfaces }) => interfaces);
  if (links.some(({ driver }) => driver === "bridge")) return choice;
  const occupied = await occupiedCidrs(networkNames(settings.runDir));
  for (const { cidr } of links) {
    const route = occupied.find((one) => overlaps(one, cidr));
    if (route === undefined) continue;
    const reason = `VMs that were made in user mode have addresses in ${cidr}, and this host has a route to ${route}: on bridges it could not reach them. Destroy them, or set CUMULUS_NETWORK=bridge.`;
    return { driver: "user", reason };
  }
  return choice;
}

async function readSpecs(settings: Settings) {
  const ids = await listMachineIds(pathsOf(settings).machines);
  const texts = await Promise.all(ids.map((id) => readTextIfThere(machinePaths(settings, id).spec)));
  return texts.flatMap((text) => {
    try {
      return [machineSpecSchema.parse(JSON.parse(text ?? ""))];
    } catch {
      // Told when the VM is taken up.
      return [];
    }
  });
}
