import type { ListeningSocket, NetworkStatus, PortForward } from "../../domain/hostNetwork";
import { allAddresses } from "../../domain/portForward";

/** What packets a forward takes. */
type Taken = Pick<PortForward, "hostAddress" | "hostPort" | "protocol">;

/** Why nothing comes to a forward's address, in a sentence; null when something can. Pure. @param addresses the host's */
export function whyNoAddress({ addresses }: Pick<NetworkStatus, "addresses">, { hostAddress }: Taken): string | null {
  if (hostAddress === allAddresses || addresses.includes(hostAddress)) return null;
  return `${hostAddress} is not an address of the host. It has ${addresses.join(", ")}.`;
}

/** A program of the host that waits for the packets that a forward takes; undefined when none does. Pure. */
export function programBehind(
  { listening }: Pick<NetworkStatus, "listening">,
  { hostAddress, hostPort, protocol }: Taken,
): ListeningSocket | undefined {
  const meets = (address: string) => [address, hostAddress].includes(allAddresses) || address === hostAddress;
  return listening.find((one) => one.port === hostPort && one.protocol === protocol && meets(one.address));
}
