import { createHash } from "node:crypto";
import { chmod, chown, mkdir, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../domain/errors";
import type { HostNetwork } from "../../domain/hostNetwork";
import { isErrno, readTextIfThere, writeFileAtomic } from "../../system/files";
import type { Log } from "../../system/log";
import { isAlive, type ProcessIdentity } from "../../system/platform";
import { dhcpHostsFile, dnsmasqConfig, hostsFile, namedNetworks, serversFile } from "./dnsmasqConfig";
import {
  awaitDnsmasq,
  endDnsmasq,
  findDnsmasqs,
  type ServiceUser,
  signalProcess,
  startDnsmasq,
} from "./dnsmasqProcess";
import type { NetworkNames } from "./names";

const maxLogBytes = 256 * 1024;

/**
 * One dnsmasq a network: it gives the guests their addresses and answers for their names. They are taken up by a later agent, and one that ends is
 * started again. A new guest takes a signal, another configuration a new process.
 */
export class DnsmasqKeeper {
  private readonly running = new Map<number, { identity: ProcessIdentity; config: string }>();
  private isAdopted = false;

  constructor(
    private readonly names: NetworkNames,
    private readonly user: ServiceUser,
    private readonly log: Log,
  ) {}

  /** Brings all of them to what the networks say. Answers whether one was started. */
  async apply(networks: readonly HostNetwork[], hostServers: readonly string[]): Promise<boolean> {
    await this.adopt();
    const ids = new Set(networks.map(({ id }) => id));
    for (const id of [...this.running.keys()].filter((id) => !ids.has(id))) await this.end(id);
    await this.sweep(ids);
    const started = await Promise.all(networks.map((network) => this.applyOne(network, networks, hostServers)));
    return started.includes(true);
  }

  /** Whether all of them live. */
  async areAlive(): Promise<boolean> {
    const alive = await Promise.all([...this.running.values()].map(({ identity }) => isAlive(identity)));
    return alive.every(Boolean);
  }

  /** Keeps what they say from filling the run folder. */
  async trimLogs(): Promise<void> {
    for (const id of this.running.keys()) {
      const file = this.logFile(id);
      if ((await stat(file)).size > maxLogBytes) await truncate(file, 0);
    }
  }

  leaseFile(id: number): string {
    return join(this.folder(id), "leases");
  }

  /** Answers whether it was started. */
  private async applyOne(
    network: HostNetwork,
    all: readonly HostNetwork[],
    hostServers: readonly string[],
  ): Promise<boolean> {
    const { id } = network;
    const folder = this.folder(id);
    await this.makeFolder(folder);
    const files = {
      hosts: join(folder, "hosts"),
      dhcpHosts: join(folder, "dhcp-hosts"),
      servers: join(folder, "servers"),
      leases: this.leaseFile(id),
    };
    const upstream = network.dnsServers.length > 0 ? network.dnsServers : hostServers;
    const others = all.filter((other) => other.id !== id);
    const named = namedNetworks(network, all);
    const text = dnsmasqConfig(network, files);
    // By its name a process that runs tells which configuration it has.
    const config = join(folder, `${createHash("sha256").update(text).digest("hex").slice(0, 16)}.conf`);
    const areNew = [
      await this.write(files.hosts, hostsFile(network, named)),
      await this.write(files.dhcpHosts, dhcpHostsFile(network)),
      await this.write(files.servers, serversFile(network, upstream, others, named)),
    ];
    const present = this.running.get(id);
    if (present?.config === config && (await isAlive(present.identity))) {
      if (areNew.includes(true)) await signalProcess(present.identity, "SIGHUP");
      return false;
    }
    await this.end(id);
    for (const name of await readdir(folder)) if (name.endsWith(".conf")) await rm(join(folder, name));
    await this.write(config, text);
    await writeFile(this.logFile(id), "", { mode: 0o600 });
    const identity = await startDnsmasq(this.names.namespacePath, this.user, config, this.logFile(id));
    this.running.set(id, { identity, config });
    await awaitDnsmasq(identity, network.gateway, this.logFile(id));
    return true;
  }

  /** What an agent before this one left; it may have been ended between a file and its signal. */
  private async adopt(): Promise<void> {
    if (this.isAdopted) return;
    for (const { identity, config } of await findDnsmasqs(this.names.folder)) {
      const id = Number(basename(dirname(config)));
      if (this.running.has(id)) await endDnsmasq(identity);
      else this.running.set(id, { identity, config });
      await signalProcess(identity, "SIGHUP");
    }
    this.isAdopted = true;
  }

  private async end(id: number): Promise<void> {
    const present = this.running.get(id);
    if (present !== undefined) await endDnsmasq(present.identity);
    this.running.delete(id);
  }

  /** Files of networks that are gone. */
  private async sweep(ids: ReadonlySet<number>): Promise<void> {
    for (const name of await readdir(this.names.folder)) {
      if (!/^\d+$/.test(name) || ids.has(Number(name))) continue;
      await rm(join(this.names.folder, name), { recursive: true, force: true }).catch((error: unknown) =>
        this.log.warn(
          { network: name, error: messageOf(error) },
          "files of a network that is gone could not be removed",
        ),
      );
    }
  }

  /** The agent's folder: dnsmasq reads in it, and writes the leases alone. */
  private async makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o710 });
    await chown(folder, 0, this.user.gid);
    await chmod(folder, 0o710);
    const leases = join(folder, "leases");
    try {
      await writeFile(leases, "", { flag: "wx", mode: 0o600 });
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    await chown(leases, this.user.uid, this.user.gid);
  }

  /** Answers whether the file has changed. */
  private async write(path: string, text: string): Promise<boolean> {
    if ((await readTextIfThere(path)) === text) return false;
    await writeFileAtomic(path, text, 0o640);
    await chown(path, 0, this.user.gid);
    await chmod(path, 0o640);
    return true;
  }

  private folder(id: number): string {
    return join(this.names.folder, String(id));
  }

  private logFile(id: number): string {
    return join(this.folder(id), "dnsmasq.log");
  }
}
