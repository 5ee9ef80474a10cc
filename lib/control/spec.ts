import { dnsAddressOf } from "../domain/ipv4";
import type { MachineSpec } from "../domain/machine";
import { seedOf } from "../domain/seed";
import type { VmRecord } from "./vms/view";

/** What a host must know of a VM: its row and what it refers to, in the hypervisor's words. */
export function specOf({ vm, image, network }: VmRecord): MachineSpec {
  const dns = dnsAddressOf(network.cidr);
  const { id, uuid, vcpus, memoryBytes, mac, ipv4, sshHostPort } = vm;
  const { cidr, gateway } = network;
  return {
    id,
    uuid,
    arch: image.arch,
    firmware: image.firmware,
    vcpus,
    memoryBytes,
    disk: { imageSha256: image.sha256, sizeBytes: vm.diskBytes },
    interfaces: [{ id: "net0", mac, driver: "user", cidr, gateway, dns, ipv4, sshHostPort }],
    seed: seedOf({
      uuid,
      hostname: vm.name,
      loginUser: image.loginUser,
      publicKeys: vm.sshKeys.map(({ publicKey }) => publicKey),
      userData: vm.userData,
      files: vm.files,
      mac,
      ipv4,
      cidr,
      gateway,
      dns,
    }),
  };
}
