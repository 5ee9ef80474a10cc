import { access } from "node:fs/promises";
import { run, setSysctls } from "./commands";
import type { NetworkNames } from "./names";

/**
 * Makes the namespace unless it is there. It is nobody's: it outlives the agent, and goes with a reboot. Links that are made in it get the kernel
 * parameters that are set here: they are set once in an agent's life, so that a later version's are set too, but for br_netfilter's. Answers whether they were set
 * now.
 */
export async function ensureNamespace(names: NetworkNames, hasParameters: boolean): Promise<boolean> {
  if (await isNamespace(names)) {
    if (hasParameters) await keepFramesUnfiltered(names);
    else await setNamespaceParameters(names);
    return !hasParameters;
  }
  // A name without a namespace behind it is left when its mount is lost.
  if (await exists(names.namespacePath)) await run(null, "ip", ["netns", "delete", names.namespace]);
  await run(null, "ip", ["netns", "add", names.namespace]);
  await setNamespaceParameters(names);
  return true;
}

async function isNamespace({ namespacePath }: NetworkNames): Promise<boolean> {
  if (!(await exists(namespacePath))) return false;
  return run(namespacePath, "true", []).then(
    () => true,
    () => false,
  );
}

/** Kernel parameters of the namespace, and by `default` those of each link made from now on. */
async function setNamespaceParameters({ namespacePath }: NetworkNames): Promise<void> {
  await run(namespacePath, "ip", ["link", "set", "dev", "lo", "up"]);
  await setSysctls(namespacePath, "1", [
    "ipv4/ip_forward",
    "ipv6/conf/all/forwarding",
    // The namespace answers for the neighbours, and forwards to them.
    "ipv4/conf/default/proxy_arp_pvlan",
    "ipv6/conf/default/proxy_ndp",
    // No address of its own on a link that isn't given one.
    "ipv6/conf/default/addr_gen_mode",
  ]);
  await setSysctls(namespacePath, "0", [
    // Neighbours are to go by the gateway: it must not tell them of a shorter way.
    "ipv4/conf/all/send_redirects",
    "ipv4/conf/default/send_redirects",
    "ipv4/conf/all/accept_redirects",
    "ipv4/conf/default/accept_redirects",
    "ipv6/conf/default/accept_redirects",
    "ipv6/conf/default/accept_ra",
  ]);
  await keepFramesUnfiltered({ namespacePath });
}

/**
 * Where br_netfilter is loaded it would have frames filtered twice. Its parameters are each namespace's own, and set in all that are there when it is loaded:
 * by Docker, say, long after the networks were made.
 */
async function keepFramesUnfiltered({ namespacePath }: Pick<NetworkNames, "namespacePath">): Promise<void> {
  const onBridges = ["iptables", "ip6tables", "arptables"].map((name) => `bridge/bridge-nf-call-${name}`);
  if (await exists("/proc/sys/net/bridge")) await setSysctls(namespacePath, "0", onBridges);
}

/**
 * Conntrack sees some packets of a connection between neighbours, and not the others (guardRules.ts): it can't follow their numbers, and waits longer for
 * the next. Its parameters are there once a rule uses it.
 */
export async function setTrackingParameters({ namespacePath }: NetworkNames): Promise<void> {
  const set = (value: number, ...ends: string[]) =>
    setSysctls(
      namespacePath,
      String(value),
      ends.map((end) => `netfilter/nf_conntrack_${end}`),
    );
  const fiveDays = 432_000;
  await set(1, "tcp_be_liberal");
  // As long as for one that is established.
  await set(fiveDays, "tcp_timeout_unacknowledged", "tcp_timeout_max_retrans");
  await set(60, "udp_timeout");
  await set(180, "udp_timeout_stream");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
