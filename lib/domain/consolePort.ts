import type { PortForward } from "./hostNetwork";

/** A forward of the port that the console listens on, which the host doesn't do: who calls Cumulus would give a guest its token. */
export interface ShadowedForward {
  vmName: string;
  hostAddress: string;
  hostPort: number;
}

/** In a host's `degraded`: there are such forwards. */
export const shadowedForwardsCode = "forward-of-console-port";

/** Whether a forward is of the console's port, made while that was another. Pure. */
export function isOfConsolePort(forward: Pick<PortForward, "protocol" | "hostPort">, consolePort: number): boolean {
  return forward.protocol === "tcp" && forward.hostPort === consolePort;
}

/** Why a forward is not in effect, and what to do about it. Pure. */
export function whyShadowed(consolePort: number): string {
  return `Cumulus itself listens on port ${consolePort} of the host. Remove this forward, or start Cumulus with another PORT.`;
}

/** A forward that leads nowhere, in a sentence for those who look after the host. Pure. */
export function shadowedInWords({ vmName, hostAddress, hostPort }: ShadowedForward): string {
  return `The forward of ${hostAddress}:${hostPort} to VM ${vmName} is not in effect: ${whyShadowed(hostPort)}`;
}
