import { eq } from "drizzle-orm";
import { interfaceLimits, portForwards, vmFirewalls } from "../../db/schema/vmNetworking";
import { isOfConsolePort, whyShadowed } from "../../domain/consolePort";
import { CumulusError } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import type { BrokenForward, InterfaceStatus, NetworkStatus } from "../../domain/hostNetwork";
import { ipv6Of } from "../../domain/ipv6";
import type { NetworkDriver } from "../../domain/machine";
import { loopbackAddress } from "../../domain/portForward";
import type { VmInterface, VmNetworking } from "../../domain/vmNetworking";
import type { Context } from "../context";
import { driversOf, getVmRecord, type VmRecord } from "../vms/view";
import { whyNotEnforceable, whyNotForwardable } from "./driver";
import { programBehind, whyNoAddress } from "./hostPorts";
import { networksPending } from "./pending";

type ForwardRow = typeof portForwards.$inferSelect;

/** A VM's interfaces with what its host sees of them now, its forwards and firewalls. @throws `not_found` */
export async function getVmNetworking(context: Context, vmId: number): Promise<VmNetworking> {
  const { db } = context;
  const record = await getVmRecord(db, vmId);
  const network = record.host.report?.network ?? null;
  const { driver } = driversOf(record.vm, record.host);
  const host = network?.driver === driver ? await hostSees(context) : null;
  const seen = driver === "bridge" ? (host?.interfaces.filter((one) => one.vmId === vmId) ?? null) : null;
  const limits = await db.select().from(interfaceLimits).where(eq(interfaceLimits.vmId, vmId));
  const forwards = await db.select().from(portForwards).where(eq(portForwards.vmId, vmId)).orderBy(portForwards.id);
  const firewalls = await db.select().from(vmFirewalls).where(eq(vmFirewalls.vmId, vmId));
  return {
    driver,
    whyNot: whyNotEnforceable(network, record.vm),
    whyNoForward: whyNotForwardable(network, record.vm),
    pending: await networksPending(context),
    seenAt: seen && new Date().toISOString(),
    interfaces: linksOf(record, driver).map((link) => {
      const limit = limits.find(({ interfaceId }) => interfaceId === link.id);
      const { ingressBytesPerSecond = null, egressBytesPerSecond = null } = limit ?? {};
      const status = seen?.find(({ interfaceId }) => interfaceId === link.id);
      const whyNotPlugged = driver === "user" && link.id !== "net0" ? userNetworkIsOne : null;
      return {
        ...link,
        whyNotPlugged,
        limit: { ingressBytesPerSecond, egressBytesPerSecond },
        status: status ? shown(status) : null,
      };
    }),
    forwards: forwards.map((forward) => {
      const whyNot = isOfConsolePort(forward, context.settings.port)
        ? whyShadowed(context.settings.port)
        : whyNotInEffect(forward, driver, host);
      const warning = whyNot === null && driver === "bridge" ? whatToKnow(forward, network, host) : null;
      return { ...forward, whyNot, warning };
    }),
    firewalls: firewalls.map(({ firewallId }) => firewallId),
  };
}

function linksOf(
  { vm, network, furtherLinks }: VmRecord,
  driver: NetworkDriver,
): Omit<VmInterface, "limit" | "status" | "whyNotPlugged">[] {
  const links = [
    { id: "net0", network, mac: vm.mac, ipv4: vm.ipv4, isLeaving: false },
    ...furtherLinks.map(({ link, network }) => ({ ...link, id: link.interfaceId, network })),
  ];
  return links.map(({ id, network: { id: networkId, name, cidr, domain, ipv6Cidr }, mac, ipv4, isLeaving }) => ({
    id,
    network: { id: networkId, name, cidr },
    mac,
    ipv4,
    ipv6: driver === "bridge" ? ipv6Of(ipv6Cidr, ipv4) : null,
    isLeaving,
    dnsName: `${vm.name}.${domain}`,
  }));
}

const userNetworkIsOne =
  "A user-mode network is the VM's own: it has one interface, and further ones are not plugged in.";

/** @param host what the VM's host sees, if it answers */
function whyNotInEffect(forward: ForwardRow, driver: NetworkDriver, host: NetworkStatus | null): string | null {
  if (driver === "user" && forward.hostAddress !== loopbackAddress) {
    return `A VM with a user-mode network has forwards of ${loopbackAddress} alone.`;
  }
  if (driver === "user") return whyBroken(host, forward);
  return host && whyNoAddress(host, forward);
}

/** What is to be known of a forward that is in effect on a bridge; null where nothing is. */
function whatToKnow(
  forward: ForwardRow,
  network: HostReport["network"] | null,
  host: NetworkStatus | null,
): string | null {
  if (network?.driver !== "user") return host && whatIsInItsWay(host, forward);
  const next =
    forward.hostAddress === loopbackAddress
      ? "From its next start on, its user-mode network takes it over."
      : `Its next network, in user mode, has forwards of ${loopbackAddress} alone.`;
  return `It is in effect until the VM stops, by the bridge that the host keeps for it. ${next}`;
}

/** A program that began to listen where a forward leads to a VM hears nothing, and is not told by anybody else. */
function whatIsInItsWay(host: NetworkStatus, forward: ForwardRow): string | null {
  const program = programBehind(host, forward);
  if (program === undefined) return null;
  const { address, port, protocol } = program;
  return `A program of the host listens at ${address}:${port} (${protocol}) as well, and gets nothing of what this forward takes. Remove the forward, or have the program listen on another port.`;
}

/** Why a VM with a user-mode network doesn't have a forward that it should have, or the other way round; null where nothing is known against it. */
export function whyBroken(
  host: Pick<NetworkStatus, "brokenForwards"> | null,
  { vmId, protocol, hostPort }: ForwardRow,
): string | null {
  const isIt = (one: BrokenForward) => one.vmId === vmId && one.protocol === protocol && one.hostPort === hostPort;
  return host?.brokenForwards.find(isIt)?.reason ?? null;
}

/** What a host sees of its networks; null when it doesn't answer: that is then not shown, rather than nothing at all. */
export async function hostSees({ agent }: Context): Promise<NetworkStatus | null> {
  try {
    return await agent.networkStatus();
  } catch (error) {
    if (error instanceof CumulusError && error.code === "unavailable") return null;
    throw error;
  }
}

function shown({ vmId, interfaceId, networkId, ...status }: InterfaceStatus): VmInterface["status"] {
  return status;
}
