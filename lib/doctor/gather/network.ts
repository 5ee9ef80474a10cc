import { readdir, readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { type NetworkState, networkStateSchema, noNetworks } from "../../domain/hostNetwork";
import { seeForeignFirewalls } from "../../hypervisor/network/foreignFirewall";
import { seeLegacyFirewalls } from "../../hypervisor/network/legacyFirewall";
import { hostDnsmasq, type NetworkNames, networkNames, uplinkName } from "../../hypervisor/network/names";
import { hostDnsPort } from "../../hypervisor/network/uplinkAddresses";
import { isThere, readTextIfThere } from "../../system/files";
import type { InstallationPaths, NetworkFact } from "../snapshot";
import { gatherNameFiles } from "./nameFiles";
import { gatherRates, gatherTables } from "./networkRules";
import { tool } from "./tool";

const linksSchema = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()).default([]),
    master: z.string().optional(),
    linkinfo: z
      .object({
        info_kind: z.string().optional(),
        info_slave_data: z.object({ isolated: z.boolean().optional() }).optional(),
      })
      .optional(),
    addr_info: z.array(z.object({ local: z.string().optional() })).default([]),
  }),
);
const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));
const rulesetSchema = z.object({
  nftables: z.array(
    z.object({
      table: z.object({ family: z.string(), name: z.string() }).optional(),
      set: z.object({ family: z.string(), name: z.string(), elem: z.array(z.unknown()).default([]) }).optional(),
    }),
  ),
});

/** The kernel makes these in each namespace while their modules are loaded; they can't be removed. */
const fallbackTunnels = ["tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"];

/**
 * What the bridges of this installation shall be and are. Null where nothing of them is known: there never were any, or we may not look (only
 * root may enter the namespace).
 */
export async function gatherNetwork(paths: InstallationPaths): Promise<NetworkFact | null> {
  const written = await readWritten(join(paths.dataDir, "networks.json"));
  if (process.platform !== "linux" || process.getuid?.() !== 0) return null;
  const names = networkNames(paths.runDir);
  const { namespace, hostLink, namespacePath } = names;
  const hasNamespace = await isThere(namespacePath);
  if (written === null && !hasNamespace) return null;
  const state = written ?? noNetworks;
  const inside = hasNamespace ? ["-netns", namespace] : null;
  const ip = async (args: string[]) => JSON.parse((await tool("ip", args)) || "[]");
  const links = inside ? linksSchema.parse(await ip([...inside, "-json", "-details", "address", "show"])) : [];
  const inner = inside ? await readRuleset(["nsenter", `--net=${namespacePath}`]) : [];
  const outer = await readRuleset([]);
  const routes = routesSchema.parse(await ip(["-json", "-4", "route", "show"]));
  const devices = linksSchema.parse(await ip(["-json", "link", "show"]));
  return {
    written: state,
    namespace,
    hasNamespace,
    hostLink,
    hasHostLink: devices.some(({ ifname }) => ifname === hostLink),
    isForwarding: (await readTextIfThere("/proc/sys/net/ipv4/ip_forward"))?.trim() === "1",
    hasHostTable: outer.some(({ table }) => table?.name === hostLink),
    hostFirewalls: await readHostFirewalls(names),
    routes: routes.filter(({ dev }) => dev === hostLink).map(({ dst }) => dst),
    otherRoutes: routes.filter(({ dev, dst }) => dev !== hostLink && dst.includes("/")).map(({ dst }) => dst),
    links: links
      .filter(({ ifname }) => ifname !== "lo" && ifname !== uplinkName && !fallbackTunnels.includes(ifname))
      .map(({ ifname, flags, master, linkinfo, addr_info }) => ({
        name: ifname,
        isBridge: linkinfo?.info_kind === "bridge",
        isUp: flags.includes("UP"),
        master: master ?? null,
        isIsolated: linkinfo?.info_slave_data?.isolated ?? false,
        addresses: addr_info.flatMap(({ local }) => local ?? []),
      })),
    senders: inner.flatMap(({ set }) =>
      set?.family === "bridge" && ["macs", "ipv4"].includes(set.name) ? set.elem.map(words) : [],
    ),
    tables: hasNamespace ? await gatherTables(names, state) : [],
    rates: hasNamespace ? await gatherRates(names) : [],
    leases: await readLeases(join(paths.runDir, "network")),
    nameFiles: await gatherNameFiles(join(paths.runDir, "network"), state),
    nameServers: await readNameServers(join(paths.runDir, "network")),
    isHostAsked: await isHostAsked(join(paths.runDir, "network")),
  };
}

async function readWritten(path: string): Promise<NetworkState | null> {
  const text = await readTextIfThere(path);
  return text === null ? null : networkStateSchema.parse(JSON.parse(text));
}

/** An element of a set of concatenations, as `nft -j` writes it: `{ "concat": ["t1n0", "52:…"] }`. */
function words(element: unknown): string {
  const parsed = z.object({ concat: z.array(z.string()) }).safeParse(element);
  return parsed.success ? parsed.data.concat.join(" ") : String(element);
}

async function readHostFirewalls(names: NetworkNames): Promise<NetworkFact["hostFirewalls"]> {
  const seen = await Promise.all([seeForeignFirewalls(names), seeLegacyFirewalls(names)]);
  return {
    closed: seen.flatMap(({ closed }) => closed),
    removals: seen.flatMap(({ removals }) => removals),
    unseen: seen.flatMap(({ unseen }) => unseen),
  };
}

async function readRuleset(prefix: string[]) {
  const [program = "nft", ...args] = [...prefix, "nft", "--json", "list", "ruleset"];
  const text = await tool(program, args);
  return text === "" ? [] : rulesetSchema.parse(JSON.parse(text)).nftables;
}

/** Lines of dnsmasq's lease files: `END MAC ADDRESS NAME ID`, IPv6 after a line with `duid`. One that has ended stays there until dnsmasq next writes. */
async function readLeases(folder: string): Promise<NetworkFact["leases"]> {
  const found: NetworkFact["leases"] = [];
  for (const name of await namesIn(folder)) {
    const text = (await readTextIfThere(join(folder, name, "leases")))?.split(/^duid /m)[0] ?? "";
    for (const line of text.split("\n")) {
      const [end, mac, ipv4 = ""] = line.split(" ");
      if (mac === undefined || !isIPv4(ipv4) || Number(end) * 1000 < Date.now()) continue;
      found.push({ networkId: Number(name), mac, ipv4, endsAt: new Date(Number(end) * 1000).toISOString() });
    }
  }
  return found;
}

async function readNameServers(folder: string): Promise<NetworkFact["nameServers"]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      const config = argv.find((argument) => argument.startsWith(`--conf-file=${folder}/`));
      const name = config?.slice(`--conf-file=${folder}/`.length).split("/")[0];
      if (name === hostDnsmasq) return [{ networkId: null, pid: Number(pid) }];
      const networkId = Number(name);
      return Number.isInteger(networkId) ? [{ networkId, pid: Number(pid) }] : [];
    }),
  );
  return found.flat();
}

/** By the files that say whom the networks' name servers ask. */
async function isHostAsked(folder: string): Promise<boolean> {
  const files = (await namesIn(folder)).map((name) => join(folder, name, "servers"));
  const texts = await Promise.all(files.map(readTextIfThere));
  return texts.some((text) => new RegExp(`^server=[\\d.]+#${hostDnsPort}$`, "m").test(text ?? ""));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => /^\d+$/.test(name));
}
