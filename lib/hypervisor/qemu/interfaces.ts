import type { BridgeInterface, MachineSpec, NetworkInterface, UserInterface } from "../../domain/machine";
import { tapName } from "../network/names";

/** Interfaces of a VM on bridges, each on a port of its own, so that it can be plugged and unplugged while the VM runs. */
const portCount = 8;

/** The devices behind which interfaces are plugged; none for a VM whose interfaces are all QEMU's own. Pure. */
export function hotPlugPorts({ interfaces }: Pick<MachineSpec, "interfaces">): object[] {
  if (!interfaces.some(({ driver }) => driver === "bridge")) return [];
  return Array.from({ length: portCount }, (_, index) => ({
    driver: "pcie-root-port",
    id: portOf(index),
    bus: "pcie.0",
    // One slot for all, far from those that are given to other devices in turn.
    addr: `10.${index}`,
    multifunction: true,
    chassis: index + 1,
    // Virtio needs no I/O ports, of which there are few.
    "io-reserve": 0,
  }));
}

/** What QEMU holds of an interface, and what the guest sees of it. Pure. */
export function interfaceParts(vmId: number, link: NetworkInterface): { netdev: { id: string }; device: object } {
  const netdev = link.driver === "bridge" ? tapNetdev(vmId, link) : userNetdev(link);
  // romfile: the boot ROM for network boot costs time and is not used.
  const device = { driver: "virtio-net-pci", id: link.id, netdev: netdev.id, mac: link.mac, romfile: "" };
  return { netdev, device: link.driver === "bridge" ? { ...device, bus: portOf(Number(link.id.slice(3))) } : device };
}

/** The tap is there already, in the network namespace that QEMU runs in. */
function tapNetdev(vmId: number, link: BridgeInterface) {
  const ifname = tapName({ vmId, interfaceId: link.id });
  return { type: "tap", id: netdevId(link), ifname, script: "no", downscript: "no" };
}

/** User-mode networking: nothing but the forward to SSH listens on the host, and that on its loopback. */
function userNetdev(link: UserInterface) {
  return {
    type: "user",
    id: netdevId(link),
    ipv6: false,
    restrict: link.isRestricted ?? false,
    net: link.cidr,
    host: link.gateway,
    dns: link.dns,
    // Its DHCP server gives the first client the first address: the VM's own.
    dhcpstart: link.ipv4,
    hostfwd: [{ str: `tcp:127.0.0.1:${link.sshHostPort}-${link.ipv4}:22` }],
  };
}

export function netdevId({ id }: { id: string }): string {
  return `${id}-host`;
}

function portOf(index: number): string {
  return `rp${index}`;
}
