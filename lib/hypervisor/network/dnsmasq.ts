import { createHash } from "node:crypto";
import { chmod, chown, mkdir, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../domain/errors";
import type { HostNetwork } from "../../domain/hostNetwork";
import { isErrno, readTextIfThere, writeFileAtomic } from "../../system/files";
import type { Log } from "../../system/log";
import { isAlive, type ProcessIdentity } from "../../system/platform";
import type { Namespace } from "./commands";
import {
  type DnsmasqFiles,
  dhcpHostsFile,
  dnsmasqConfig,
  hostDnsmasqConfig,
  hostsFile,
  namedNetworks,
  serversFile,
} from "./dnsmasqConfig";
import {
  awaitDnsmasq,
  endDnsmasq,
  findDnsmasqs,
  type ServiceUser,
  signalProcess,
  startDnsmasq,
} from "./dnsmasqProcess";
import { hostDnsmasq, type NetworkNames } from "./names";
import type { HostNameServers } from "./resolvers";
import { hostDnsPort, type UplinkAddresses } from "./uplinkAddresses";

const maxLogBytes = 256 * 1024;
const startMs = 10_000;
/** Shorter than what people wait for a change of the networks. */
const startOnHostMs = 5_000;

/** What a dnsmasq is to be. */
interface Wanted {
  /** Its folder's name. */
  name: string;
  namespace: Namespace;
  config(files: DnsmasqFiles): string;
  /** What its files say. */
  texts: Omit<DnsmasqFiles, "leases">;
  /** Where it then answers, and within what time. */
  at: { address: string; port: number; withinMs: number };
}

/** Whom they run as: what guests speak with has no hold on the one that is on the host. */
export interface DnsmasqUsers {
  ofNetworks: ServiceUser;
  onHost: ServiceUser;
}

/**
 * One dnsmasq a network: it gives the guests their addresses and answers for their names. Where this computer's name servers answer it alone, one more on the
 * host asks them for the others. They are taken up by a later agent, and one that ends is started again. A new guest takes a signal, another configuration a
 * new process.
 */
export class DnsmasqKeeper {
  private readonly running = new Map<string, { identity: ProcessIdentity; config: string }>();
  private isAdopted = false;
  /** Whether the one on the host was wanted at the last look. */
  private wasOnHost = false;

  constructor(
    private readonly names: NetworkNames,
    private readonly users: DnsmasqUsers,
    private readonly log: Log,
  ) {}

  /**
   * Brings all of them to what the networks say.
   * @returns whether one was started that should have run; why VMs find no names outside, in a sentence, or null
   */
  async apply(
    networks: readonly HostNetwork[],
    { own, reachable }: HostNameServers,
    uplink: UplinkAddresses,
  ): Promise<{ isNew: boolean; problem: string | null }> {
    await this.adopt();
    const isOnHost = own.length > 0 && networks.some(asksHostServers);
    const folders = new Set([...networks.map(({ id }) => String(id)), ...(isOnHost ? [hostDnsmasq] : [])]);
    for (const name of [...this.running.keys()].filter((name) => !folders.has(name))) await this.end(name);
    await this.sweep(folders);
    const servers = isOnHost ? [`${uplink.host4}#${hostDnsPort}`] : reachable;
    const outcomes = await Promise.allSettled(
      networks.map((network) => this.applyOne(networkWanted(network, networks, servers, this.names))),
    );
    const host = isOnHost ? await this.applyHost(own, uplink) : { isNew: false, problem: null };
    const wasOnHost = this.wasOnHost;
    this.wasOnHost = isOnHost;
    const started = outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
    const isNew = (host.isNew && wasOnHost) || started.includes(true);
    return { isNew, problem: host.problem };
  }

  /** Whether all of them live. */
  async areAlive(): Promise<boolean> {
    const alive = await Promise.all([...this.running.values()].map(({ identity }) => isAlive(identity)));
    return alive.every(Boolean);
  }

  /** Keeps what they say from filling the run folder. */
  async trimLogs(): Promise<void> {
    for (const name of this.running.keys()) {
      const file = this.logFile(name);
      if ((await stat(file)).size > maxLogBytes) await truncate(file, 0);
    }
  }

  leaseFile(id: number): string {
    return this.filesOf(String(id)).leases;
  }

  /** VMs reach each other, and names of their own, without it: what keeps it from starting is told, and no error. */
  private async applyHost(own: readonly string[], uplink: UplinkAddresses) {
    try {
      return { isNew: await this.applyOne(hostWanted(own, uplink, this.names)), problem: null };
    } catch (error) {
      await this.end(hostDnsmasq);
      const problem = `This host's name servers (${own.join(", ")}) can't be asked from VMs' networks, and what would ask them for VMs can't run. So VMs find no names outside, but in networks with name servers of their own: PATCH /api/networks/ID {"dnsServers":["…"]}. What keeps it from running: ${messageOf(error)}`;
      return { isNew: false, problem };
    }
  }

  /** Answers whether it was started. */
  private async applyOne({ name, namespace, config: configOf, texts, at }: Wanted): Promise<boolean> {
    const folder = this.folder(name);
    const user = this.userOf(name);
    await this.makeFolder(folder, user);
    const files = this.filesOf(name);
    const text = configOf(files);
    // By its name a process that runs tells which configuration it has.
    const config = join(folder, `${createHash("sha256").update(text).digest("hex").slice(0, 16)}.conf`);
    const areNew = [
      await this.write(files.hosts, texts.hosts, user),
      await this.write(files.dhcpHosts, texts.dhcpHosts, user),
      await this.write(files.servers, texts.servers, user),
    ];
    const present = this.running.get(name);
    if (present?.config === config && (await isAlive(present.identity))) {
      if (areNew.includes(true)) await signalProcess(present.identity, "SIGHUP");
      return false;
    }
    await this.end(name);
    for (const file of await readdir(folder)) if (file.endsWith(".conf")) await rm(join(folder, file));
    await this.write(config, text, user);
    await writeFile(this.logFile(name), "", { mode: 0o600 });
    const identity = await startDnsmasq(namespace, user, config, this.logFile(name));
    this.running.set(name, { identity, config });
    await awaitDnsmasq(identity, at, this.logFile(name));
    return true;
  }

  /** What an agent before this one left; it may have been ended between a file and its signal. */
  private async adopt(): Promise<void> {
    if (this.isAdopted) return;
    for (const { identity, config } of await findDnsmasqs(this.names.folder)) {
      const name = basename(dirname(config));
      if (this.running.has(name)) await endDnsmasq(identity);
      else this.running.set(name, { identity, config });
      await signalProcess(identity, "SIGHUP");
    }
    this.isAdopted = true;
  }

  private async end(name: string): Promise<void> {
    const present = this.running.get(name);
    if (present !== undefined) await endDnsmasq(present.identity);
    this.running.delete(name);
  }

  /** Files of networks that are gone. */
  private async sweep(folders: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.names.folder)) {
      if (!(/^\d+$/.test(name) || name === hostDnsmasq) || folders.has(name)) continue;
      await rm(join(this.names.folder, name), { recursive: true, force: true }).catch((error: unknown) =>
        this.log.warn(
          { network: name, error: messageOf(error) },
          "files of a network that is gone could not be removed",
        ),
      );
    }
  }

  /** The agent's folder: dnsmasq reads in it, and writes the leases alone. */
  private async makeFolder(folder: string, { uid, gid }: ServiceUser): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o710 });
    await chown(folder, 0, gid);
    await chmod(folder, 0o710);
    const leases = join(folder, "leases");
    try {
      await writeFile(leases, "", { flag: "wx", mode: 0o600 });
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    await chown(leases, uid, gid);
  }

  /** Answers whether the file has changed. */
  private async write(path: string, text: string, { gid }: ServiceUser): Promise<boolean> {
    if ((await readTextIfThere(path)) === text) return false;
    await writeFileAtomic(path, text, 0o640);
    await chown(path, 0, gid);
    await chmod(path, 0o640);
    return true;
  }

  private userOf(name: string): ServiceUser {
    return name === hostDnsmasq ? this.users.onHost : this.users.ofNetworks;
  }

  private filesOf(name: string): DnsmasqFiles {
    const inFolder = (file: string) => join(this.folder(name), file);
    return {
      hosts: inFolder("hosts"),
      dhcpHosts: inFolder("dhcp-hosts"),
      servers: inFolder("servers"),
      leases: inFolder("leases"),
    };
  }

  private folder(name: string): string {
    return join(this.names.folder, name);
  }

  private logFile(name: string): string {
    return join(this.folder(name), "dnsmasq.log");
  }
}

function asksHostServers({ outside, dnsServers }: HostNetwork): boolean {
  return outside !== "none" && dnsServers.length === 0;
}

function networkWanted(
  network: HostNetwork,
  all: readonly HostNetwork[],
  hostServers: readonly string[],
  { namespacePath }: NetworkNames,
): Wanted {
  const upstream = network.dnsServers.length > 0 ? network.dnsServers : hostServers;
  const others = all.filter(({ id }) => id !== network.id);
  const named = namedNetworks(network, all);
  return {
    name: String(network.id),
    namespace: namespacePath,
    config: (files) => dnsmasqConfig(network, files),
    texts: {
      hosts: hostsFile(network, named),
      dhcpHosts: dhcpHostsFile(network),
      servers: serversFile(network, upstream, others, named),
    },
    at: { address: network.gateway, port: 53, withinMs: startMs },
  };
}

function hostWanted(own: readonly string[], { host4 }: UplinkAddresses, names: NetworkNames): Wanted {
  return {
    name: hostDnsmasq,
    namespace: null,
    config: ({ servers }) => hostDnsmasqConfig(names, servers),
    texts: { hosts: "", dhcpHosts: "", servers: own.map((server) => `server=${server}\n`).join("") },
    at: { address: host4, port: hostDnsPort, withinMs: startOnHostMs },
  };
}
