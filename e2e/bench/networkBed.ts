import { join } from "node:path";
import { Lab, LabNamespace } from "../../lib/hypervisor/testing/lab/lab";
import { host, network } from "../../lib/hypervisor/testing/lab/labNetworks";
import { projectDir } from "../../lib/paths";

const traffic = join(projectDir, "lib", "hypervisor", "testing", "lab", "traffic.py");
const hosts = [1, 2, 3, 4].map((vmId) => host(vmId, 1));
const addressOf = (vmId: number) => host(vmId, 1).ipv4;
const one = network(1, hosts, { ipv6: null });
const all = { protocol: "any" as const, ports: null, cidrs: [] };
/** The first two have none; the others one that lets all in, whose traffic is looked at packet by packet. */
const firewalls = [3, 4].map((vmId) => ({ vmId, interfaceId: "net0", ingress: [all], egress: null }));

/** Two guests on a bridge, and the way out of it. */
export interface Bed {
  guests: [LabNamespace, LabNamespace];
  /** The second one's address. */
  neighbour: string;
  /** The internet's address on this bed's way. */
  internet: string;
}

/**
 * Two guests on a bridge of Cumulus', two more there that have firewalls, and two on a plain one whose traffic out is masqueraded on the same way: by two
 * namespaces, to the same server. The guests are namespaces themselves, each on a veth in the place of its tap, so that nothing is measured but the network.
 */
export class NetworkBed {
  private readonly spaces: LabNamespace[] = [];

  private constructor(
    private readonly lab: Lab,
    readonly ours: Bed,
    readonly walled: Bed,
    readonly plain: Bed,
  ) {}

  static async make(): Promise<NetworkBed> {
    const lab = await Lab.make();
    const spaces: LabNamespace[] = [];
    const space = async (name: string) => {
      const made = await new LabNamespace(`lab-${lab.key}-${name}`).make();
      spaces.push(made);
      return made;
    };
    try {
      await lab.startAgent();
      await lab.apply({ networks: [one], firewalls, limits: [] });
      // It would put taps back where the guests' links are.
      await lab.killAgent();
      const plain = await space("plain");
      await makePlain(lab, plain, await space("way"));
      const guestsOf = async (bridge: LabNamespace, name: string, [first, second] = [1, 2]): Promise<Bed["guests"]> => [
        await plug(bridge, await space(`${name}${first}`), first),
        await plug(bridge, await space(`${name}${second}`), second),
      ];
      const bed = new NetworkBed(
        lab,
        { guests: await guestsOf(lab.inner, "ours"), neighbour: addressOf(2), internet: "203.0.113.1" },
        { guests: await guestsOf(lab.inner, "ours", [3, 4]), neighbour: addressOf(4), internet: "203.0.113.1" },
        { guests: await guestsOf(plain, "other"), neighbour: addressOf(2), internet: "203.0.114.1" },
      );
      bed.spaces.push(...spaces);
      for (const server of [lab.internet, bed.ours.guests[1], bed.walled.guests[1], bed.plain.guests[1]]) {
        await server.start("python3", [traffic, "serve"]);
      }
      return bed;
    } catch (error) {
      for (const one of spaces) await one.remove();
      await lab.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const space of this.spaces) await space.remove();
    await this.lab.close();
  }
}

/** MiB a second from a guest to an address. */
export async function throughput(from: LabNamespace, to: string, seconds: number): Promise<number> {
  return Number(await from.run("python3", [traffic, "throughput", to, String(seconds)]));
}

/** Milliseconds of a round trip from a guest to an address, on average. */
export async function latency(from: LabNamespace, to: string, count: number): Promise<number> {
  return Number(await from.run("python3", [traffic, "latency", to, String(count)]));
}

async function makePlain(lab: Lab, plain: LabNamespace, way: LabNamespace): Promise<void> {
  const masquerade = (link: string) =>
    `table ip plain { chain out { type nat hook postrouting priority 100; oifname "${link}" masquerade; }; }`;
  await plain.ip(
    "link add br1 type bridge",
    "address add 192.168.1.1/24 dev br1",
    "link set dev br1 up",
    `link add uplink type veth peer name in netns ${way.name}`,
    "address add 169.254.1.2/30 dev uplink",
    "link set dev uplink up",
  );
  await way.ip(
    "address add 169.254.1.1/30 dev in",
    "link set dev in up",
    `link add wan type veth peer name lan2 netns ${lab.internet.name}`,
    "address add 203.0.114.2/24 dev wan",
    "link set dev wan up",
  );
  await lab.internet.ip("address add 203.0.114.1/24 dev lan2", "link set dev lan2 up");
  await plain.ip("route add default via 169.254.1.1");
  for (const [space, link] of [
    [plain, "uplink"],
    [way, "wan"],
  ] as const) {
    await space.run("tee", ["/proc/sys/net/ipv4/ip_forward"], "1");
    await space.run("nft", ["-f", "-"], masquerade(link));
  }
  await plain.run("tee", ["/proc/sys/net/bridge/bridge-nf-call-iptables"], "0").catch(() => undefined);
}

/** Puts a guest on a bridge, in the place of the tap if there is one. */
async function plug(bridge: LabNamespace, guest: LabNamespace, vmId: number): Promise<LabNamespace> {
  const { mac, ipv4 } = host(vmId, 1);
  const tap = `t${vmId}n0`;
  const hasTap = (await bridge.run("ip", ["-brief", "link", "show"])).includes(tap);
  await bridge.ip(
    ...(hasTap ? [`link delete dev ${tap}`] : []),
    `link add ${tap} type veth peer name eth0 netns ${guest.name}`,
    `link set dev ${tap} master br1`,
    `link set dev ${tap} up`,
  );
  await guest.ip(
    `link set dev eth0 address ${mac}`,
    "link set dev eth0 up",
    `address add ${ipv4}/24 dev eth0`,
    "route add default via 192.168.1.1",
  );
  return guest;
}
