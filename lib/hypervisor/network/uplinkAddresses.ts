import { createHash } from "node:crypto";
import { overlaps } from "../../domain/cidrs";
import { CumulusError } from "../../domain/errors";
import type { NetworkNames } from "./names";

/** The two ends of the uplink: a range of four link-local addresses (RFC 3927), and a unique local one for IPv6 (RFC 4193). */
export interface UplinkAddresses {
  /** The host's end. */
  host4: string;
  /** The namespace's end, by which guests go out. */
  inner4: string;
  host6: string;
  inner6: string;
}

export const uplinkPrefix4 = 30;
export const uplinkPrefix6 = 126;

/**
 * The sender that a guest's packets have when they leave and come back to another guest by a forward: the dummy address of RFC 7600, which is only ever a
 * source. It is on no link: answers are to it by the uplink, where conntrack takes them back. A firewall knows this computer by `host4`, and not by this.
 */
export const returning4 = "192.0.0.8";

/**
 * At `host4`, where the host's own name server is asked on behalf of the namespace's: of those that IANA keeps, so that neither a name server on all
 * addresses nor a forward of port 53 has it.
 */
export const hostDnsPort = 253;

/** Blocks of four in 169.254.1.0–169.254.168.255: the first and last 256 addresses are reserved, and clouds have services at 169.254.169.x. */
const blockCount = 168 * 64;
const mostTries = 256;

/**
 * Addresses that no route of the host leads to, beginning at ones that are this installation's own by its name. Pure.
 * @param occupied ranges of the host's routes
 */
export function chooseUplinkAddresses(names: NetworkNames, occupied: readonly string[]): UplinkAddresses {
  const hash = createHash("sha256").update(names.namespace).digest();
  for (let step = 0; step < mostTries; step++) {
    const block = (hash.readUInt32BE(0) + step) % blockCount;
    const base = `169.254.${1 + Math.floor(block / 64)}.`;
    const first = (block % 64) * 4;
    // A whole 169.254.0.0/16, as some hosts have it for zeroconf, is no obstacle: the longer prefix wins.
    const isTaken = occupied.some(
      (cidr) => cidr !== "169.254.0.0/16" && overlaps(cidr, `${base}${first}/${uplinkPrefix4}`),
    );
    if (!isTaken) return { host4: `${base}${first + 1}`, inner4: `${base}${first + 2}`, ...addresses6(hash) };
  }
  throw new CumulusError(
    "unavailable",
    "The host has routes to all of 169.254.0.0/16: VMs' networks find no address for their uplink.",
  );
}

function addresses6(hash: Buffer) {
  const word = (offset: number) => hash.readUInt16BE(offset).toString(16);
  const prefix = `fd${hash.subarray(4, 5).toString("hex")}:${word(5)}:${word(7)}:ffff`;
  return { host6: `${prefix}::1`, inner6: `${prefix}::2` };
}
