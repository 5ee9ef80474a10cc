import { access, chmod, constants, stat } from "node:fs/promises";
import { platform } from "node:os";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Settings } from "../../env";
import type { UserScheme } from "../../system/machineUsers";
import { ipBatch, run } from "./commands";
import { networkNames } from "./names";

export interface DriverChoice {
  driver: "bridge" | "user";
  reason: string;
}

/** Package by program, as Debian has them. */
const programs: [program: string, args: string[], debianPackage: string][] = [
  ["ip", ["-Version"], "iproute2"],
  ["tc", ["-Version"], "iproute2"],
  ["nft", ["--version"], "nftables"],
  ["dnsmasq", ["--version"], "dnsmasq-base"],
  ["nsenter", ["--version"], "util-linux"],
  ["setpriv", ["--version"], "util-linux"],
];

/** Which driver this computer's networks have: bridges wherever they are possible, unless `CUMULUS_NETWORK` asks for less. */
export async function chooseDriver(
  { network, runDir }: Pick<Settings, "network" | "runDir">,
  users: UserScheme,
): Promise<DriverChoice> {
  if (network === "user") return { driver: "user", reason: "CUMULUS_NETWORK asks for user-mode networks." };
  const obstacle = await obstacleToBridges(runDir, users);
  if (obstacle === null) return { driver: "bridge", reason: "The agent is root, and all that bridges need is there." };
  const isAsked = network === "bridge";
  return { driver: "user", reason: isAsked ? `CUMULUS_NETWORK asks for bridges, in vain. ${obstacle}` : obstacle };
}

/** Why this computer can't have bridges, and what would help; null when it can. */
async function obstacleToBridges(runDir: string, users: UserScheme): Promise<string | null> {
  if (platform() !== "linux") return "Bridges are made on Linux only.";
  if (users.kind === "own") return "Bridges need an agent that is root: start Cumulus as root.";
  const missing: string[] = [];
  for (const [program, args, debianPackage] of programs) {
    if (!(await isInstalled(program, args))) missing.push(debianPackage);
  }
  if (missing.length > 0) {
    const packages = [...new Set(missing)].join(" ");
    return `Bridges need programs that are not installed. On Debian or Ubuntu: apt install ${packages}`;
  }
  try {
    await openTunDevice();
    await tryNetworks(`${networkNames(runDir).namespace}-try`);
    return null;
  } catch (error) {
    return `This computer lets the agent make no network of its own (${messageOf(error)}). In a container, run it privileged.`;
  }
}

/** Links and rules of each kind that a network takes. */
const sampleLinks = [
  "link add dev b type bridge",
  "link add dev u type veth peer name v",
  "tuntap add dev t mode tap",
  "link set dev t master b",
  "link set dev t type bridge_slave isolated on",
];
const sampleRules = `
table bridge sample {
  set macs { type ifname . ether_addr; }
  chain guard { type filter hook prerouting priority -300; policy drop; iifname . ether saddr != @macs counter drop; }
}
table inet sample {
  chain forward { type filter hook forward priority 0; policy drop; ct direction reply accept; }
  chain prerouting { type nat hook prerouting priority -100; fib daddr type local tcp dport 1 dnat ip to 192.0.2.1:1; }
  chain postrouting { type nat hook postrouting priority 100; oifname "u" masquerade; }
}
`;

/** Makes a small network in a namespace that goes again: a kernel without one of its parts, and a container that forbids one, tell so now. */
async function tryNetworks(namespace: string): Promise<void> {
  await access("/proc/sys/net/ipv4/ip_forward", constants.W_OK);
  const remove = () => run(null, "ip", ["netns", "delete", namespace]);
  // One that a crash left.
  await remove().catch(() => undefined);
  await run(null, "ip", ["netns", "add", namespace]);
  try {
    await ipBatch(`/run/netns/${namespace}`, sampleLinks);
    await run(`/run/netns/${namespace}`, "nft", ["-f", "-"], sampleRules);
  } finally {
    await remove();
  }
}

async function isInstalled(program: string, args: string[]): Promise<boolean> {
  try {
    await run(null, program, args);
    return true;
  } catch (error) {
    return !(error instanceof CumulusError && error.code === "unavailable");
  }
}

const tunDevice = "/dev/net/tun";

/**
 * QEMU opens its tap as the VM's user. The kernel's documentation (networking/tuntap.rst) has the device open to all: it gives nobody a link that
 * isn't theirs. systemd makes it so; where it is not, as in some containers, we do.
 */
async function openTunDevice(): Promise<void> {
  const { mode } = await stat(tunDevice);
  if ((mode & 0o006) !== 0o006) await chmod(tunDevice, 0o666);
}
