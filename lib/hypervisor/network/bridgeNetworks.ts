import { chmod, mkdir } from "node:fs/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import { type NetworkState, type NetworkStatus, noNetworks, type ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import { networkFingerprint } from "../../domain/networkFingerprint";
import type { Settings } from "../../env";
import type { Log } from "../../system/log";
import { type UserScheme, workUidOf } from "../../system/machineUsers";
import type { Namespace } from "./commands";
import { diagnoseBridged } from "./diagnose";
import { DnsmasqKeeper, type DnsmasqUsers } from "./dnsmasq";
import { type DiagnosedVm, findHost, type HostNetworks } from "./hostNetworks";
import { hostAddresses, listeningSockets } from "./hostSockets";
import { openLegacyFirewalls } from "./legacyFirewall";
import { type NetworkNames, networkNames } from "./names";
import { Nftables } from "./nftables";
import { reconcile } from "./reconcile";
import { removeNetworks } from "./removeNetworks";
import { readNetworkState, writeNetworkState } from "./stateFile";
import { readInterfaces } from "./status";
import { occupiedCidrs, type Withheld } from "./uplink";

/** How often the name servers are looked after, and everything is compared with what it should be. */
const watchMs = 2_000;
const reconcileMs = 30_000;

/**
 * Networks as bridges in a network namespace of the installation's own. The state is written down first, then brought about; all that it makes outlives the
 * agent, and another agent takes it up.
 */
export class BridgeNetworks implements HostNetworks {
  readonly driver = "bridge";
  problem: string | null = null;
  applied: string | null = null;
  warning: string | null = null;
  private readonly names: NetworkNames;
  private readonly nftables: Nftables;
  private readonly dnsmasq: DnsmasqKeeper;
  /** Null until it could be read: then nothing is touched. */
  private known: NetworkState | null = null;
  private work: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private reconciledAtMs = 0;
  private hasParameters = false;

  constructor(
    private readonly settings: Settings,
    private readonly users: UserScheme,
    private readonly log: Log,
    readonly reason: string,
  ) {
    this.names = networkNames(settings.runDir);
    this.nftables = new Nftables(this.names.folder);
    this.dnsmasq = new DnsmasqKeeper(this.names, serviceUsers(users), log);
  }

  async recover(): Promise<void> {
    await this.inTurn(() => this.bringAbout()).catch(() => undefined);
    this.watch();
  }

  /** From now on, what was applied last is kept as it should be. */
  watch(): void {
    this.timer ??= setInterval(() => {
      this.inTurn(() => this.lookAfter()).catch(() => undefined);
    }, watchMs).unref();
  }

  async apply(state: NetworkState): Promise<void> {
    await this.inTurn(async () => {
      if (networkFingerprint(state) !== this.applied) this.applied = null;
      await writeNetworkState(this.settings.dataDir, state);
      this.known = state;
      await this.bringAbout();
    });
  }

  async status(): Promise<Omit<NetworkStatus, "brokenForwards">> {
    const { driver, reason, names, state } = this;
    const interfaces =
      state.networks.length === 0 ? [] : await readInterfaces(names, state, (id) => this.dnsmasq.leaseFile(id));
    const addresses = hostAddresses(names.hostLink);
    const [occupied, listening] = await Promise.all([occupiedCidrs(names), listeningSockets()]);
    return { driver, reason, occupiedCidrs: occupied, addresses, listening, interfaces };
  }

  /** A VM that was started in user mode stays connected as it is until it stops. */
  userForwardsOf(): null {
    return null;
  }

  async namespaceFor(vmId: number, interfaces: readonly NetworkInterface[]): Promise<Namespace> {
    const bridged = interfaces.filter(({ driver }) => driver === "bridge");
    if (bridged.length === 0) return null;
    await this.work;
    for (const { id, mac, ipv4 } of bridged) {
      const host = findHost(this.state, vmId, id)?.host;
      if (host?.mac === mac && host.ipv4 === ipv4) continue;
      throw new CumulusError(
        "unavailable",
        `The network of this VM's interface ${id} is not on this host yet. Try again in a moment.`,
        {
          retryAfterSeconds: 2,
        },
      );
    }
    if (this.problem !== null) throw new CumulusError("unavailable", this.problem, { retryAfterSeconds: 10 });
    return this.names.namespacePath;
  }

  async diagnose(vm: DiagnosedVm, link: NetworkInterface, port: number): Promise<ReachabilityCheck[]> {
    const { names, state } = this;
    return diagnoseBridged({ names, state, vm, link, port, leaseFile: (id) => this.dnsmasq.leaseFile(id) });
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.work;
  }

  /** One after the other; what goes wrong is kept as the problem until something goes right. */
  private inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.work.then(act).then(
      () => {
        this.problem = null;
      },
      (error: unknown) => {
        const problem = `The networks of this host are not as they should be: ${messageOf(error)}`;
        if (problem !== this.problem)
          this.log.error({ error: messageOf(error) }, "the networks could not be brought about");
        this.problem = problem;
        this.applied = null;
        throw error;
      },
    );
    this.work = done.catch(() => undefined);
    return done;
  }

  private get state(): NetworkState {
    return this.known ?? noNetworks;
  }

  private async lookAfter(): Promise<void> {
    if (this.state.networks.length === 0 && this.problem === null) return;
    const isDue = Date.now() - this.reconciledAtMs > reconcileMs || this.problem !== null;
    if (!isDue && (await this.dnsmasq.areAlive())) return;
    await this.bringAbout();
    await this.dnsmasq.trimLogs();
  }

  private async bringAbout(): Promise<void> {
    this.reconciledAtMs = Date.now();
    this.known ??= await readNetworkState(this.settings.dataDir);
    await this.bringAboutState(this.known);
    this.applied = networkFingerprint(this.known);
  }

  private async bringAboutState(state: NetworkState): Promise<void> {
    const { names, nftables, dnsmasq } = this;
    if (state.networks.length === 0) {
      this.warning = null;
      return removeNetworks(this.settings.runDir);
    }
    await mkdir(names.folder, { recursive: true, mode: 0o711 });
    await chmod(names.folder, 0o711);
    const ownerOf = (vmId: number) => this.users.userOf(vmId)?.uid ?? 0;
    const workUid = workUidOf(this.users);
    const { hasParameters } = this;
    const wanted = { names, state, nftables, dnsmasq, ownerOf, workUid, hasParameters };
    const { withheld, unnamed, changed } = await reconcile(wanted);
    this.hasParameters = true;
    const unseen = await openLegacyFirewalls(names);
    const warning = [...withheld.map(inWords), unseen, unnamed].filter((one) => one !== null).join(" ") || null;
    if (warning !== this.warning && warning !== null) this.log.warn({}, warning);
    // What was in effect is found otherwise: somebody else has changed it. But a route was rightly missing while the host had a way of its own there.
    const told = warning === this.warning ? changed : changed.filter((what) => what !== "routes");
    if (told.length > 0 && this.applied === networkFingerprint(state)) {
      this.log.warn({ changed: told }, "the networks were not as they should be, and are again");
    }
    this.warning = warning;
  }
}

function inWords({ network, cidr, route }: Withheld): string {
  return `This host has a way of its own to ${route.to}${route.link === null ? "" : ` (${route.link})`}, so it does not reach the VMs of the network ${network} (${cidr}), nor do port forwards. Make a network with another range for VMs that it shall reach.`;
}

/** The last ids of those for VMs, which no VM comes to: they have no files, so nobody else's. */
function serviceUsers(users: UserScheme): DnsmasqUsers {
  const userOf = (id: number) => ({ uid: users.userOf(id)?.uid ?? 0, gid: users.userOf(id)?.gid ?? 0 });
  return { ofNetworks: userOf(99_999_999), onHost: userOf(99_999_998) };
}
