import { setTimeout as delay } from "node:timers/promises";
import type { HostNetwork, NetworkHost, NetworkState, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import { run } from "./commands";
import { matchingRule } from "./firewallRules";
import { type DiagnosedVm, findHost } from "./hostNetworks";
import { readAddresses, readNeighbours, readRoutes } from "./linkFacts";
import type { NetworkNames } from "./names";
import { probePort } from "./portProbe";
import { isSeen, readInterfaces } from "./status";
import { rivalRoute } from "./uplink";

const connectMs = 3_000;
const greetingMs = 3_000;
const arpMs = 4_000;

interface BridgedQuestion {
  names: NetworkNames;
  state: NetworkState;
  vm: DiagnosedVm;
  link: NetworkInterface;
  port: number;
  leaseFile(networkId: number): string;
}

type Check = () => Promise<ReachabilityCheck>;

/** Why this computer doesn't reach a TCP port of a VM on a bridge: what was checked, in order, up to the first failure. */
export async function diagnoseBridged(question: BridgedQuestion): Promise<ReachabilityCheck[]> {
  const { state, vm, link, port } = question;
  const found = findHost(state, vm.spec.id, link.id);
  return untilFailure([
    async () => runningCheck(vm),
    () => interfaceCheck(question),
    () => leaseCheck(question),
    () => arpCheck(question),
    () => firewallCheck(question),
    async () => (found === undefined ? routeLost(link.cidr) : routeCheck(question, found)),
    ...portChecks(link.ipv4, port),
  ]);
}

/** The same for a VM with a user-mode network, of which this computer reaches the SSH port alone. */
export async function diagnoseForwarded(
  vm: DiagnosedVm,
  link: NetworkInterface,
  port: number,
): Promise<ReachabilityCheck[]> {
  if (link.driver !== "user")
    return [failed("interface", "The VM's interface is on a bridge.", "Start the VM on a host with bridges.")];
  const forward = async () =>
    port === 22
      ? ok("route", `Port ${link.sshHostPort} of 127.0.0.1 leads to the VM's port 22.`)
      : failed(
          "route",
          `Nothing leads to port ${port}: a user-mode network forwards SSH alone.`,
          "Use SSH's own forwarding (ssh -L).",
        );
  return untilFailure([async () => runningCheck(vm), forward, ...portChecks("127.0.0.1", link.sshHostPort, true)]);
}

async function untilFailure(checks: readonly Check[]): Promise<ReachabilityCheck[]> {
  const results: ReachabilityCheck[] = [];
  for (const check of checks) {
    const result = await check();
    results.push(result);
    if (result.outcome === "failed") break;
  }
  return results;
}

function runningCheck({ isRunning }: DiagnosedVm): ReachabilityCheck {
  return isRunning ? ok("running", "The VM runs.") : failed("running", "The VM doesn't run.", "Start the VM.");
}

async function interfaceCheck(question: BridgedQuestion): Promise<ReachabilityCheck> {
  const status = await statusOf(question);
  if (status?.isUp) return ok("interface", "The VM's interface is plugged into its network.");
  return failed("interface", "The VM's interface is not plugged into its network.", "Stop the VM and start it again.");
}

async function leaseCheck(question: BridgedQuestion): Promise<ReachabilityCheck> {
  const end = (await statusOf(question))?.leaseEndsAt;
  if (end) return ok("lease", `The VM took its address by DHCP; it holds until ${end}.`);
  return unknown("lease", "The VM took no address by DHCP: it has a fixed one from its seed, or it didn't ask.");
}

async function arpCheck({ names, link }: BridgedQuestion): Promise<ReachabilityCheck> {
  const inside = names.namespacePath;
  const look = async () => (await readNeighbours(inside, 4)).find(({ address }) => address === link.ipv4);
  const known = await look();
  // What was true a while ago is asked anew.
  if (known !== undefined && known.state !== "REACHABLE") {
    await run(inside, "ip", ["neighbour", "delete", link.ipv4, "dev", known.link]);
  }
  const deadline = Date.now() + arpMs;
  // Any try to connect has the kernel ask for the address.
  const asking = probePort(link.ipv4, 9, arpMs, 0);
  let isAnswered: boolean | null = null;
  while (isAnswered === null && Date.now() < deadline) {
    isAnswered = isSeen(await look(), link.mac);
    if (isAnswered === null) await delay(100);
  }
  void asking;
  if (isAnswered) return ok("arp", `The VM answers for ${link.ipv4}.`);
  return failed(
    "arp",
    `Nobody answers for ${link.ipv4}: inside the VM, that address is not set up.`,
    "Look at the VM's console: has it booted, and does `ip address` show the address? Its network configuration may be its own.",
  );
}

async function firewallCheck({ state, names, vm, link, port }: BridgedQuestion): Promise<ReachabilityCheck> {
  const firewall = state.firewalls.find(({ vmId, interfaceId }) => vmId === vm.spec.id && interfaceId === link.id);
  if (!firewall?.ingress) return ok("firewall", "No firewall limits what reaches the VM.");
  const peer =
    (await readAddresses(null))
      .get(names.hostLink)
      ?.find((address) => !address.includes(":"))
      ?.split("/")[0] ?? "";
  const rule = matchingRule(firewall.ingress, { protocol: "tcp", port, peer });
  if (rule !== undefined) {
    const ports = rule.ports?.map(({ from, to }) => (from === to ? from : `${from}–${to}`)).join(", ") ?? "all";
    return ok("firewall", `The firewall's rule for ${rule.protocol}, ports ${ports}, lets it through.`);
  }
  return failed(
    "firewall",
    `No rule of the VM's firewall lets this computer (${peer}) reach TCP port ${port}.`,
    `Add a rule for TCP port ${port}, or take the firewall off.`,
  );
}

async function routeCheck(
  { names, link, port }: BridgedQuestion,
  { network }: { network: HostNetwork; host: NetworkHost },
): Promise<ReachabilityCheck> {
  const routes = await readRoutes(null, 4);
  const rival = rivalRoute(network.cidr, routes, names.hostLink);
  if (rival !== undefined) {
    return failed(
      "route",
      `This computer has a way of its own to ${rival.to}${rival.link === null ? "" : ` (${rival.link})`}, which ${network.cidr} lies in.`,
      "Plug the VM into a network with another range, or reach it from another VM.",
    );
  }
  if (!routes.some(({ to, link: by }) => to === network.cidr && by === names.hostLink)) return routeLost(network.cidr);
  const forwards = network.forwards.filter(
    (one) => one.ipv4 === link.ipv4 && one.port === port && one.protocol === "tcp",
  );
  const from = forwards.map(({ hostAddress, hostPort }) => `${hostAddress}:${hostPort}`).join(", ");
  return ok(
    "route",
    `This computer has a route to ${network.cidr}${from === "" ? "" : `, and ${from} leads to the port`}.`,
  );
}

function routeLost(cidr: string): ReachabilityCheck {
  return failed(
    "route",
    `This computer has no route to ${cidr}.`,
    "Wait half a minute, after which it is made anew; if it isn't, run `npm run doctor`.",
  );
}

function portChecks(host: string, port: number, isSsh = port === 22): Check[] {
  let greeting = "";
  return [
    async () => {
      const result = await probePort(host, port, connectMs, isSsh ? greetingMs : 0);
      if (result.outcome === "open") {
        greeting = result.greeting;
        return ok("port", `Port ${port} answers.`);
      }
      if (result.outcome === "refused") {
        return failed(
          "port",
          `Nothing listens on port ${port}.`,
          "Start the service in the VM, and have it listen on all addresses.",
        );
      }
      return failed(
        "port",
        `Port ${port} doesn't answer.`,
        "A firewall inside the VM may drop it, or the VM hangs: look at its console.",
      );
    },
    ...(isSsh ? [async () => sshCheck(greeting)] : []),
  ];
}

function sshCheck(greeting: string): ReachabilityCheck {
  const line = greeting.split("\r\n")[0] ?? "";
  if (/^SSH-/m.test(greeting)) return ok("ssh", `An SSH server answers: ${line}.`);
  return failed(
    "ssh",
    "The port is open, and no SSH server speaks on it.",
    "Look at the VM's console whether its SSH server has started.",
  );
}

async function statusOf({ names, state, vm, link, leaseFile }: BridgedQuestion) {
  const all = await readInterfaces(names, state, leaseFile);
  return all.find(({ vmId, interfaceId }) => vmId === vm.spec.id && interfaceId === link.id);
}

function ok(name: ReachabilityCheck["name"], message: string): ReachabilityCheck {
  return { name, outcome: "ok", message, fix: null };
}

function unknown(name: ReachabilityCheck["name"], message: string): ReachabilityCheck {
  return { name, outcome: "unknown", message, fix: null };
}

function failed(name: ReachabilityCheck["name"], message: string, fix: string): ReachabilityCheck {
  return { name, outcome: "failed", message, fix };
}
