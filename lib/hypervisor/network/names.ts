import { createHash } from "node:crypto";
import { join } from "node:path";

/**
 * What the networks of an installation are called on this computer. All of it but the host's end of the uplink, its routes and one nft table lies in a
 * network namespace of the installation's own, so that neither the host's firewall nor another installation meets it.
 */
export interface NetworkNames {
  namespace: string;
  /** The namespace as a file: what nsenter(1) enters. */
  namespacePath: string;
  /** The host's end of the uplink; also the name of the host's nft table and the comment of each rule in foreign chains. */
  hostLink: string;
  /** Files of the networks in the run folder. */
  folder: string;
}

/** The namespace's end of the uplink. */
export const uplinkName = "uplink";

/** The host's own dnsmasq, for names outside, has a folder of this name where each network's has one of its id. */
export const hostDnsmasq = "host";

/** By the run folder, which no two installations share. Pure. */
export function networkNames(runDir: string): NetworkNames {
  const key = createHash("sha256").update(runDir).digest("hex").slice(0, 8);
  const namespace = `cumulus-${key}`;
  // A link's name holds 15 characters (IFNAMSIZ).
  const hostLink = `cumulus${key}`;
  return { namespace, namespacePath: join("/run/netns", namespace), hostLink, folder: join(runDir, "network") };
}

export function bridgeName(networkId: number): string {
  return `br${networkId}`;
}

export function tapName({ vmId, interfaceId }: { vmId: number; interfaceId: string }): string {
  return `t${vmId}${interfaceId.replace("net", "n")}`;
}

/** The gateway's MAC: always the same, so that VMs needn't learn it anew after a reboot of the host. */
export function gatewayMac(names: NetworkNames, networkId: number): string {
  const hash = createHash("sha256").update(`${names.namespace} ${networkId}`).digest();
  // Locally administered, unicast (IEEE 802, "U/L bit").
  return ["02", ...[...hash.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

/** The link-local address that a MAC makes (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const bytes = mac.split(":").map((part) => Number.parseInt(part, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  const words = [(a ^ 2) * 256 + b, c * 256 + 0xff, 0xfe00 + d, e * 256 + f];
  return `fe80::${words.map((word) => word.toString(16)).join(":")}`;
}
