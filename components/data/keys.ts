import type { Change } from "../../lib/domain/event";

/** The keys of the cache are the paths that they are read from. */
export const keys = {
  vms: "/api/vms",
  vm: (id: number) => `/api/vms/${id}`,
  host: "/api/host",
  images: "/api/images",
  sizes: "/api/sizes",
  networks: "/api/networks",
  operations: "/api/operations",
  operationsOfVm: (vmId: number) => `/api/operations?vm=${vmId}`,
  sshKeys: "/api/ssh-keys",
  tokens: "/api/tokens",
} as const;

/** Which cached answers a change makes old. VMs take memory of the host and hold images and networks. */
export function keysOf(change: Change): string[] {
  switch (change.kind) {
    case "vm":
      return [keys.vm(change.id), keys.vms, keys.host, keys.images, keys.networks];
    case "operation":
      return change.vmId === undefined ? [keys.operations] : [keys.operations, keys.operationsOfVm(change.vmId)];
    case "image":
      return [keys.images];
    case "network":
      return [keys.networks];
    case "ssh-key":
      return [keys.sshKeys];
    case "token":
      return [keys.tokens];
    case "host":
      return [keys.host];
  }
}
