import { messageOf } from "../../domain/errors";
import { readTextIfThere } from "../../system/files";
import { run } from "./commands";
import type { SeenFirewalls } from "./foreignFirewall";
import type { NetworkNames } from "./names";

/** The kernel's older packet filter, which nft doesn't list: one for each version of IP. */
const filters = [
  { version: "IPv4", tables: "/proc/self/net/ip_tables_names", program: "iptables-legacy" },
  { version: "IPv6", tables: "/proc/self/net/ip6_tables_names", program: "ip6tables-legacy" },
];

/**
 * Lets our guests' traffic through where the host's FORWARD chain of iptables-legacy drops what nobody allowed, by two rules of ours, told by our
 * link's name. Answers what can't be looked into, in a sentence; null when all is well.
 */
export async function openLegacyFirewalls(names: NetworkNames): Promise<string | null> {
  const blind: string[] = [];
  for (const { version, tables, program } of filters) {
    if (!(await hasFilter(tables))) continue;
    if (!(await isInstalled(program))) {
      blind.push(version);
      continue;
    }
    const lines = await forwardRules(program);
    if (!isClosed(lines) || ownRules(lines, names).length > 0) continue;
    for (const end of ["-i", "-o"]) {
      await run(null, program, ["--wait", "5", "-I", "FORWARD", end, names.hostLink, "-j", "ACCEPT"]);
    }
  }
  if (blind.length === 0) return null;
  return `This host has a firewall of iptables-legacy (${blind.join(", ")}), which may drop what VMs send and get, and the program to look into it is not installed. On Debian or Ubuntu: apt install iptables`;
}

/** Takes our rules out again. */
export async function leaveLegacyFirewalls(names: NetworkNames): Promise<void> {
  for (const { tables, program } of filters) {
    if (!(await hasFilter(tables)) || !(await isInstalled(program))) continue;
    for (const rule of ownRules(await forwardRules(program), names)) {
      await run(null, program, ["--wait", "5", ...removal(rule).split(" ")]);
    }
  }
}

/** What is seen of our rules there, of which nothing is changed. Never rejects. */
export async function seeLegacyFirewalls(names: NetworkNames): Promise<SeenFirewalls> {
  const seen: SeenFirewalls = { closed: [], removals: [], unseen: [] };
  for (const { version, tables, program } of filters) {
    const firewall = `iptables-legacy (${version})`;
    try {
      if (!(await hasFilter(tables))) continue;
      const lines = await forwardRules(program);
      const own = ownRules(lines, names);
      if (isClosed(lines) && own.length === 0) seen.closed.push(`chain FORWARD of ${firewall}`);
      seen.removals.push(...own.map((rule) => `${program} ${removal(rule)}`));
    } catch (error) {
      seen.unseen.push({ firewall, reason: messageOf(error) });
    }
  }
  return seen;
}

/** Whether the filter is in use in this network namespace: asking its program would bring it into use. */
async function hasFilter(tables: string): Promise<boolean> {
  return ((await readTextIfThere(tables)) ?? "").split("\n").includes("filter");
}

async function isInstalled(program: string): Promise<boolean> {
  return run(null, program, ["--version"]).then(
    () => true,
    () => false,
  );
}

/** As `-S` prints them: the policy, then a line for each rule that would add it. */
async function forwardRules(program: string): Promise<string[]> {
  return (await run(null, program, ["--wait", "5", "-S", "FORWARD"])).split("\n").filter((line) => line !== "");
}

/** Whether it ends in a drop. Pure. */
function isClosed(lines: readonly string[]): boolean {
  return lines[0] === "-P FORWARD DROP" || /^-A FORWARD -j (DROP|REJECT)\b/.test(lines.at(-1) ?? "");
}

function removal(rule: string): string {
  return rule.replace(/^-A/, "-D");
}

function ownRules(lines: readonly string[], { hostLink }: NetworkNames): string[] {
  return lines.filter((line) => line.endsWith(` ${hostLink} -j ACCEPT`));
}
