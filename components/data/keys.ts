import type { Change } from "../../lib/domain/event";

/** The keys of the cache are the paths that they are read from. */
export const keys = {
  vms: "/api/vms",
  vm: (id: number) => `/api/vms/${id}`,
  host: "/api/host",
  images: "/api/images",
  image: (id: number) => `/api/images/${id}`,
  catalogue: "/api/catalogue",
  recipes: "/api/recipes",
  recipe: (id: number) => `/api/recipes/${id}`,
  userDataTemplates: "/api/user-data-templates",
  sizes: "/api/sizes",
  networks: "/api/networks",
  network: (id: number) => `/api/networks/${id}`,
  networkAddresses: (id: number) => `/api/networks/${id}/addresses`,
  networkProposal: "/api/network-proposal",
  forwardAddresses: "/api/forward-addresses",
  firewalls: "/api/firewalls",
  firewall: (id: number) => `/api/firewalls/${id}`,
  networkingOfVm: (vmId: number) => `/api/vms/${vmId}/networking`,
  operations: "/api/operations",
  operation: (id: number) => `/api/operations/${id}`,
  operationsOfVm: (vmId: number) => `/api/operations?vm=${vmId}`,
  snapshots: "/api/snapshots",
  snapshot: (id: number) => `/api/snapshots/${id}`,
  snapshotsOfVm: (vmId: number) => `/api/vms/${vmId}/snapshots`,
  snapshotCost: (vmId: number) => `/api/vms/${vmId}/snapshots/cost`,
  backups: (vmId: number) => `/api/vms/${vmId}/backups`,
  backupPolicy: (vmId: number) => `/api/vms/${vmId}/backup-policy`,
  backupRepositories: "/api/backup-repositories",
  storedBackups: (repositoryId: number) => `/api/backup-repositories/${repositoryId}/backups`,
  sshKeys: "/api/ssh-keys",
  tokens: "/api/tokens",
} as const;

/** Which cached answers a change makes old. VMs take memory of the host and hold images and networks. */
export function keysOf(change: Change): string[] {
  switch (change.kind) {
    case "vm":
      return [
        ...[keys.vm(change.id), keys.vms, keys.host, keys.images, keys.networks],
        ...[keys.networkingOfVm(change.id), keys.firewalls],
      ];
    case "operation":
      return [
        keys.operations,
        keys.operation(change.id),
        ...(change.vmId === undefined ? [] : [keys.operationsOfVm(change.vmId)]),
      ];
    case "image":
      return [keys.images, keys.image(change.id), keys.catalogue];
    case "recipe":
      return [keys.recipes, keys.recipe(change.id)];
    case "user-data-template":
      return [keys.userDataTemplates];
    case "network":
      return [keys.networks, keys.networkProposal, keys.network(change.id), keys.networkAddresses(change.id)];
    case "firewall":
      return [keys.firewalls, keys.firewall(change.id)];
    case "snapshot":
      return [
        ...[keys.snapshots, keys.snapshot(change.id)],
        ...(change.vmId === undefined ? [] : [keys.snapshotsOfVm(change.vmId), keys.snapshotCost(change.vmId)]),
      ];
    case "backup":
      return change.vmId === undefined ? [] : [keys.backups(change.vmId), keys.backupPolicy(change.vmId)];
    case "backup-repository":
      return [keys.backupRepositories, keys.storedBackups(change.id)];
    case "ssh-key":
      return [keys.sshKeys];
    case "token":
      return [keys.tokens];
    case "host":
      return [keys.host];
  }
}
