import type { Settings } from "../../env";
import type { Log } from "../../system/log";
import type { UserScheme } from "../../system/machineUsers";
import { BridgeNetworks } from "./bridgeNetworks";
import type { HostNetworks } from "./hostNetworks";
import { chooseDriver } from "./prerequisites";
import { UserNetworks } from "./userNetworks";

/** The networks of this computer, by the driver that it can have and is asked for. */
export async function createHostNetworks(settings: Settings, users: UserScheme, log: Log): Promise<HostNetworks> {
  const { driver, reason } = await chooseDriver(settings.network, users);
  return driver === "bridge" ? new BridgeNetworks(settings, users, log, reason) : new UserNetworks(reason);
}
