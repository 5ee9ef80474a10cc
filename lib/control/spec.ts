import { dnsAddressOf } from "../domain/ipv4";
import { ipv6GatewayOf, ipv6Of } from "../domain/ipv6";
import type { MachineSpec } from "../domain/machine";
import { seedOf, userShellOf } from "../domain/seed";
import { firmwareOf } from "./vms/firmware";
import type { FurtherLink, VmRecord } from "./vms/view";

/** What a host must know of a VM: its row and what it refers to, in the hypervisor's words. */
export function specOf({ vm, image, network, cdrom, host, furtherLinks }: VmRecord): MachineSpec {
  const driver = host.report?.network.driver ?? "user";
  const { id, uuid, vcpus, memoryBytes, mac, ipv4, sshHostPort } = vm;
  const { cidr, gateway, ipv6Cidr } = network;
  const ipv6 = driver === "bridge" ? ipv6Of(ipv6Cidr, ipv4) : null;
  const dns = driver === "bridge" ? gateway : dnsAddressOf(network);
  const staying = furtherLinks.filter(({ link }) => !link.isLeaving);
  const first = { id: "net0", mac, cidr, gateway, dns, ipv4 };
  return {
    id,
    uuid,
    arch: image.arch,
    firmware: firmwareOf(vm, image),
    vcpus,
    memoryBytes,
    disk: {
      // Of an ISO, a system is installed on an empty disk.
      imageSha256: image.kind === "iso" ? null : image.sha256,
      sizeBytes: vm.diskBytes,
      ...(vm.fromSnapshotId !== null && { snapshotId: vm.fromSnapshotId }),
      ...variablesOf(vm, image),
    },
    cdrom: cdrom && { sha256: cdrom.sha256 },
    bootFrom: vm.bootFrom,
    // User-mode networks are each VM's own: a second one would lead nowhere.
    interfaces:
      driver === "bridge"
        ? [{ ...first, driver }, ...staying.map((one) => ({ ...linkOf(one), driver }))]
        : [{ ...first, driver, sshHostPort, isRestricted: network.outside === "none" }],
    seed: seedOf({
      uuid,
      hostname: vm.name,
      loginUser: image.loginUser,
      publicKeys: vm.sshKeys.map(({ publicKey }) => publicKey),
      userData: vm.userData,
      files: vm.files,
      firstBoot: vm.firstBoot,
      userShell: userShellOf(image.os?.family),
      mac,
      ipv4,
      cidr,
      gateway,
      ...(ipv6 && ipv6Cidr && { ipv6: { address: ipv6, gateway: ipv6GatewayOf(ipv6Cidr) } }),
      dns,
      ...(driver === "bridge" && { searchDomain: network.domain }),
      further: driver === "bridge" ? staying.map((one) => ({ ...linkOf(one), ...ipv6PartOf(one) })) : [],
    }),
  };
}

/** A snapshot has its own variables, and a BIOS none. */
function variablesOf(vm: VmRecord["vm"], image: VmRecord["image"]): { variablesSha256?: string } {
  const { variablesSha256 } = image;
  const hasOwn = vm.fromSnapshotId === null && firmwareOf(vm, image) === "uefi";
  return hasOwn && variablesSha256 !== null ? { variablesSha256 } : {};
}

function linkOf({ link, network }: FurtherLink) {
  const { cidr, gateway } = network;
  return { id: link.interfaceId, mac: link.mac, cidr, gateway, dns: gateway, ipv4: link.ipv4 };
}

function ipv6PartOf({ link, network }: FurtherLink): { ipv6?: string } {
  const ipv6 = ipv6Of(network.ipv6Cidr, link.ipv4);
  return ipv6 === null ? {} : { ipv6 };
}
