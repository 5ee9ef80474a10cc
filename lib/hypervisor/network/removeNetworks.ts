import { access, readFile, rm } from "node:fs/promises";
import { ipBatch, run } from "./commands";
import { endDnsmasq, findDnsmasqs } from "./dnsmasqProcess";
import { leaveForeignFirewalls } from "./foreignFirewall";
import { leaveLegacyFirewalls } from "./legacyFirewall";
import { networkNames } from "./names";

/**
 * Removes all that the networks of an installation are on this computer: processes, rules, links, namespace, files of the run folder. What they were asked to
 * be stays written down: the agent's next start brings them back. VMs that run lose their network. Does nothing where nothing is.
 */
export async function removeNetworks(runDir: string): Promise<void> {
  const names = networkNames(runDir);
  for (const { identity } of await findDnsmasqs(names.folder)) await endDnsmasq(identity);
  const links = await readFile("/proc/self/net/dev", "utf8").catch(() => "");
  const hasLink = links.split("\n").some((line) => line.trim().startsWith(`${names.hostLink}:`));
  const isThere = hasLink || (await exists(names.folder)) || (await exists(names.namespacePath));
  if (!isThere) return;
  await leaveForeignFirewalls(names);
  await leaveLegacyFirewalls(names);
  const table = `table inet ${names.hostLink}`;
  // Added first, so that deleting it never fails.
  await run(null, "nft", ["-f", "-"], `${table}\ndelete ${table}\n`);
  if (hasLink) await ipBatch(null, [`link delete dev ${names.hostLink}`]);
  if (await exists(names.namespacePath)) await run(null, "ip", ["netns", "delete", names.namespace]);
  await rm(names.folder, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
