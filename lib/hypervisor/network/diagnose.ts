import { setTimeout as delay } from "node:timers/promises";
import type { NetworkState, ReachabilityCheck } from "../../domain/hostNetwork";
import type { NetworkInterface } from "../../domain/machine";
import { allAddresses } from "../../domain/portForward";
import { failed, ok, runningCheck, unknown } from "./checks";
import { ipBatch } from "./commands";
import { matchingRule } from "./firewallRules";
import { type DiagnosedVm, findHost } from "./hostNetworks";
import { loopback } from "./hostPorts";
import { hostAddresses } from "./hostSockets";
import { readAddresses, readNeighbours, readRoutes } from "./linkFacts";
import { bridgeName, type NetworkNames } from "./names";
import { probePort } from "./portProbe";
import { isSeen, readInterfaces } from "./status";
import { rivalRoute } from "./uplink";
import type { UserForward } from "./userForwards";

const connectMs = 3_000;
const greetingMs = 3_000;
const arpMs = 4_000;

const refused = { outcome: "refused" } as const;

interface BridgedQuestion {
  names: NetworkNames;
  state: NetworkState;
  vm: DiagnosedVm;
  link: NetworkInterface;
  port: number;
  leaseFile(networkId: number): string;
}

/** The interface's network, as the state has it. */
type Placed = NonNullable<ReturnType<typeof findHost>>;

type Check = () => Promise<ReachabilityCheck>;

/** Why this computer doesn't reach a TCP port of a VM on a bridge: what was checked, in order, up to the first failure. */
export async function diagnoseBridged(question: BridgedQuestion): Promise<ReachabilityCheck[]> {
  const { state, vm, link, port } = question;
  const found = findHost(state, vm.spec.id, link.id);
  const beginning: Check[] = [async () => runningCheck(vm.seen), () => interfaceCheck(question)];
  // One that the state doesn't have is not plugged in, which is said by then.
  if (found === undefined) return untilFailure(beginning);
  let asked: Promise<boolean> | undefined;
  const answers = () => {
    asked ??= answersForAddress(question, found);
    return asked;
  };
  return untilFailure([
    ...beginning,
    () => leaseCheck(question, answers),
    () => arpCheck(question, answers),
    () => firewallCheck(question),
    () => routeCheck(question, found),
    ...portChecks({ host: link.ipv4, port, vmPort: port }),
  ]);
}

/** The same for a VM with a user-mode network, of which this computer reaches the ports that are forwarded, SSH's among them. */
export async function diagnoseForwarded(
  vm: DiagnosedVm,
  link: NetworkInterface,
  port: number,
  forwards: readonly UserForward[],
): Promise<ReachabilityCheck[]> {
  if (link.driver !== "user")
    return [failed("interface", "The VM's interface is on a bridge.", "Start the VM on a host with bridges.")];
  const ssh = { hostPort: link.sshHostPort, port: 22 };
  const forward = [ssh, ...forwards.filter(({ protocol }) => protocol === "tcp")].find((one) => one.port === port);
  const running = async () => runningCheck(vm.seen);
  const route = async () => forwardCheck(vm, port, forward?.hostPort);
  if (forward === undefined) return untilFailure([running, route]);
  return untilFailure([running, route, ...portChecks({ host: loopback, port: forward.hostPort, vmPort: port })]);
}

function forwardCheck({ brokenForwards }: DiagnosedVm, port: number, hostPort: number | undefined): ReachabilityCheck {
  if (hostPort === undefined) {
    return failed(
      "route",
      `Nothing leads to port ${port}: this computer reaches a VM with a user-mode network by forwarded ports alone.`,
      "Forward a port to it, or use SSH's own forwarding (ssh -L).",
    );
  }
  const broken = brokenForwards.find((one) => one.protocol === "tcp" && one.hostPort === hostPort);
  if (broken === undefined) return ok("route", `Port ${hostPort} of ${loopback} leads to the VM's port ${port}.`);
  return failed("route", broken.reason, "End the program that has the port, or forward another one.");
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

async function interfaceCheck(question: BridgedQuestion): Promise<ReachabilityCheck> {
  const { id } = question.link;
  const status = await statusOf(question);
  if (status?.isUp) return ok("interface", `The VM's interface ${id} is plugged into its network.`);
  const message = `The VM's interface ${id} is not plugged into its network.`;
  return failed("interface", message, "Stop the VM and start it again.");
}

async function leaseCheck(question: BridgedQuestion, answers: () => Promise<boolean>): Promise<ReachabilityCheck> {
  const end = (await statusOf(question))?.leaseEndsAt;
  if (end) return ok("lease", `The VM took its address by DHCP; it holds until ${end}.`);
  if (await answers()) return ok("lease", "The VM took no address by DHCP, and answers for its own.");
  return unknown("lease", "The VM took no address by DHCP: it has a fixed one from its seed, or it didn't ask.");
}

async function arpCheck({ link }: BridgedQuestion, answers: () => Promise<boolean>): Promise<ReachabilityCheck> {
  if (await answers()) return ok("arp", `The VM answers for ${link.ipv4}.`);
  return failed(
    "arp",
    `Nobody answers for ${link.ipv4}: inside the VM, that address is not set up.`,
    "Look at the VM's console: has it booted, and does `ip address` show the address? Its network configuration may be its own.",
  );
}

/** Asked on the bridge itself (ARP), where neither the VM's firewall nor the host's routes lie in between. */
async function answersForAddress({ names, link }: BridgedQuestion, { network }: Placed): Promise<boolean> {
  const inside = names.namespacePath;
  const look = async () => (await readNeighbours(inside, 4)).find(({ address }) => address === link.ipv4);
  const entry = `neighbour replace ${link.ipv4} dev ${bridgeName(network.id)}`;
  // What was true a while ago is forgotten, then `use` has the kernel ask (ip-neighbour(8)).
  await ipBatch(inside, [`${entry} nud failed`, `${entry} nud none use`]);
  const deadline = Date.now() + arpMs;
  let isAnswered: boolean | null = null;
  while (isAnswered === null && Date.now() < deadline) {
    isAnswered = isSeen(await look(), link.mac);
    if (isAnswered === null) await delay(100);
  }
  return isAnswered ?? false;
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
    return { ...ok("firewall", `The firewall's rule for ${rule.protocol}, ports ${ports}, lets it through.`), rule };
  }
  return failed(
    "firewall",
    `No rule of the VM's firewall lets this computer reach TCP port ${port}.`,
    `Add a rule for TCP port ${port} from ${peer}, the address that the VM sees this computer by, or from anybody. Or take the firewall off.`,
  );
}

async function routeCheck({ names, link, port }: BridgedQuestion, { network }: Placed): Promise<ReachabilityCheck> {
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
  const own = [allAddresses, ...hostAddresses(names.hostLink)];
  const forwards = network.forwards.filter(
    (one) => one.ipv4 === link.ipv4 && one.port === port && one.protocol === "tcp" && own.includes(one.hostAddress),
  );
  const from = forwards.map(({ hostAddress, hostPort }) => `${hostAddress}:${hostPort}`).join(", ");
  return ok(
    "route",
    `This computer has a route to ${network.cidr}${from === "" ? "" : `, and ${from} ${forwards.length === 1 ? "leads" : "lead"} to the port`}.`,
  );
}

function routeLost(cidr: string): ReachabilityCheck {
  return failed(
    "route",
    `This computer has no route to ${cidr}.`,
    "Wait half a minute, after which it is made anew; if it isn't, run `npm run doctor`.",
  );
}

/** @param vmPort the VM's own, which another one of this computer may lead to */
function portChecks({ host, port, vmPort }: { host: string; port: number; vmPort: number }): Check[] {
  let greeting = "";
  const isSsh = vmPort === 22;
  const isForwarded = host === loopback;
  return [
    async () => {
      const probed = await probePort(host, port, connectMs, isSsh || isForwarded ? greetingMs : 0);
      // QEMU takes every connection to a forwarded port, and ends it when the guest doesn't.
      const result = isForwarded && probed.outcome === "open" && probed.isEnded ? refused : probed;
      if (result.outcome === "open") {
        greeting = result.greeting;
        if (isForwarded && greeting === "" && !isSsh) {
          const message = `Port ${vmPort} takes connections by QEMU and waits to be spoken to, as web servers do; so it would if the VM hung.`;
          return unknown("port", message);
        }
        return ok("port", `Port ${vmPort} answers.`);
      }
      if (result.outcome === "refused") {
        return failed(
          "port",
          `Nothing listens on port ${vmPort}.`,
          "Start the service in the VM, and have it listen on all addresses.",
        );
      }
      return failed(
        "port",
        `Port ${vmPort} doesn't answer.`,
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
