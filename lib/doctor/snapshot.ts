import type { ShadowedForward } from "../domain/consolePort";
import type { NetworkState } from "../domain/hostNetwork";
import type { Desired, Observed } from "../domain/vmStatus";

/**
 * Everything that one look at an installation found: what the database says, what lies on the disk, which processes run and what they answer. Checks
 * (lib/doctor/checks) are pure functions over it.
 */
export interface Snapshot {
  takenAtMs: number;
  paths: InstallationPaths;
  vms: VmFact[];
  images: ImageFact[];
  openOperations: OperationFact[];
  snapshotRows: SnapshotRowFact[];
  strandedBackups: StrandedBackupFact[];
  /** Whether the host's agent answers the console, as the console wrote it down. */
  isHostAway: boolean;
  /** By absolute path. */
  files: ReadonlyMap<string, FileFact>;
  /** Folders among the VMs' that are named by an id. */
  machines: MachineFact[];
  manifests: ManifestFact[];
  layers: LayerFact[];
  snapshotFolders: SnapshotFolderFact[];
  pidFiles: PidFileFact[];
  /** QEMU processes whose command line names our folders; null where processes can't be looked at (no /proc). */
  processes: ProcessFact[] | null;
  /** The networks on bridges; null where there are none, or they can't be looked at. */
  network: NetworkFact | null;
  /** What the database makes of networks on bridges; in user mode, of those that VMs still run on. Null where there is nothing of that. */
  askedNetworks: NetworkState | null;
  /** Forwards of the port that Cumulus itself listens on. */
  shadowedForwards: ShadowedForward[];
  interfaces: InterfaceFact[];
  addresses: AddressFact[];
}

export interface InstallationPaths {
  dataDir: string;
  runDir: string;
  images: string;
  staging: string;
  layers: string;
  snapshots: string;
  /** One folder a VM. */
  machines: string;
  /** One folder a VM. */
  machineSockets: string;
}

/** A VM that isn't deleted. */
export interface VmFact {
  id: number;
  uuid: string;
  name: string;
  hostId: number;
  networkId: number;
  ipv4: string;
  mac: string;
  sshHostPort: number;
  /** TCP ports of the loopback that lead to it, beside the one to its SSH. */
  forwardedPorts: number[];
  /** Null: its disk began empty. */
  imageSha256: string | null;
  /** The ISO that is to lie in its drive. */
  cdromSha256: string | null;
  desired: Desired;
  observed: Observed;
  observedAtMs: number | null;
  createdAtMs: number;
  lastError: string | null;
  /** Whether a disk was made for it once. */
  hasDisk: boolean;
  /** Whether it isn't yet, and not given up, where it is wanted: then it may look otherwise than its row for a while. */
  isUnderWay: boolean;
}

/** An interface of a VM that isn't deleted, as the database has it. */
export interface InterfaceFact {
  vmId: number;
  interfaceId: string;
  networkId: number;
  ipv4: string;
  mac: string;
}

/** An address that the database keeps from being given to a VM. */
export interface AddressFact {
  networkId: number;
  ipv4: string;
  /** For whom; null: it is reserved by hand. */
  vmId: number | null;
  /** Whether it is reserved with a MAC: a VM that asks for it is then given it. */
  hasReservedMac: boolean;
  /** Whether it is in quarantine: that VM had it. */
  isReleased: boolean;
}

export interface ImageFact {
  id: number;
  name: string;
  kind: "disk" | "iso";
  /** Of its file, which images of other names may share. */
  sha256: string;
  fileBytes: number;
  /** Of the UEFI variables that it carries. */
  variablesSha256: string | null;
  /** It is off the list, and its file may be there yet or not any more. */
  isBeingRemoved: boolean;
}

export interface OperationFact {
  id: number;
  kind: string;
  vmId: number | null;
  isVmDeleted: boolean;
  /** From when on it counts as late, if it was no deadline of its own; null for long work, which takes as long as it takes. */
  dueFromMs: number | null;
}

/** A snapshot that isn't deleted. */
export interface SnapshotRowFact {
  id: number;
  name: string;
  vmName: string;
  /** Whether an open operation takes it, deletes it, or restores it: then it may be there or not. */
  isUnderWay: boolean;
}

/** A backup that is neither done nor failed, and whose snapshot is deleted. */
export interface StrandedBackupFact {
  id: number;
  vmName: string;
  snapshotId: number | null;
  snapshotDeletedAtMs: number;
}

export interface FileFact {
  kind: "file" | "folder" | "socket" | "other";
  /** Permission bits. */
  mode: number;
  uid: number;
  sizeBytes: number;
  modifiedAtMs: number;
}

export interface MachineFact {
  id: number;
  /** `machine.json`; null when it is missing or can't be read as one. */
  spec: {
    id: number;
    uuid: string;
    mac: string;
    ipv4: string;
    sshHostPort: number | null;
    imageSha256: string | null;
    cdromSha256: string | null;
  } | null;
  /** The port of the host that the QEMU which `state.json` tells of was started with; a newer spec may say another. */
  startedWithPort: number | null;
  /** The process that `state.json` says is its QEMU, if that process lives. */
  recordedProcess: LivingProcess | null;
  /** Whether `state.json` tells of a restore that is neither done nor undone. */
  isBeingRestored: boolean;
  /** Which files its disk is; null when that can't be read. */
  record: DiskRecordFact | null;
  /** The disk that the record names; null: there is none. */
  disk: DiskFact | null;
}

export interface DiskRecordFact {
  disk: string;
  uefiVars: string;
  /** The layer that the disk builds on; null: the image. */
  parent: string | null;
  /** The disk that is about to take its place. */
  cutDisk: string | null;
  /** What restores that aren't done have put others in the place of, the newest first, each disk before its UEFI variables. */
  replaced: string[];
  /** Layers that it names besides: the one that the disk is about to become, and those that replaced disks build on. */
  otherLayers: string[];
}

export type DiskFact =
  /** `damage` is told of disks that no process writes; null: none was found. */
  { opens: true; backingFile: string | null; damage: string | null } | { opens: false; reason: string };

export interface LayerFact {
  id: string;
  manifest: { parent: string | null; imageSha256: string | null } | null;
  hasFile: boolean;
  damage: string | null;
}

export interface SnapshotFolderFact {
  id: number;
  /** Null when the snapshot isn't whole. */
  layerId: string | null;
}

export interface ManifestFact {
  path: string;
  /** The image that it describes: a name for a file. Null when it can't be read. */
  image: { sha256: string; name: string } | null;
  modifiedAtMs: number;
}

/** A pid file that names a process which lives. */
export interface PidFileFact {
  path: string;
  process: LivingProcess;
}

export interface LivingProcess {
  pid: number;
  program: string;
}

export interface ProcessFact {
  pid: number;
  uid: number;
  /** The VM whose run folder its command line names; null when it names none. */
  vmId: number | null;
  /** On its command line. */
  uuid: string | null;
  /** Disks that it may write. */
  disks: string[];
  macs: string[];
  /** Unix sockets on its command line. */
  sockets: string[];
  /** Where it accepts connections: paths, and `address:port`; null when that can't be seen. */
  listeners: { unix: string[]; tcp: string[] } | null;
  qmp: { answers: true; uuid: string; status: string; hasBlockJob: boolean } | { answers: false; reason: string };
}

export interface NetworkFact {
  /** What the host was told of networks (`networks.json`). */
  written: NetworkState;
  /** The installation's namespace, and the link of the host that leads there. */
  namespace: string;
  hasNamespace: boolean;
  hostLink: string;
  hasHostLink: boolean;
  /** Whether the host passes packets on (`net.ipv4.ip_forward`). */
  isForwarding: boolean;
  /** In the host's own nft. */
  hasHostTable: boolean;
  /**
   * Of the host's own firewalls: chains that lack the rules that let guests' traffic through, what would remove such rules of ours, and those that couldn't be
   * looked at.
   */
  hostFirewalls: { closed: string[]; removals: string[]; unseen: { firewall: string; reason: string }[] };
  /** Ranges to which the host has a route by the link. */
  routes: string[];
  /** Ranges to which it has one otherwise. */
  otherRoutes: string[];
  /** Links of the namespace, but for its loopback, its end of the uplink, and what the kernel makes in each. */
  links: {
    name: string;
    isBridge: boolean;
    isUp: boolean;
    master: string | null;
    isIsolated: boolean;
    addresses: string[];
  }[];
  /** Who may send what: `t1n0 52:54:…`, `t1n0 52:54:… 192.168.0.2`. */
  senders: string[];
  /** All of the installation's own; their parts are compared. */
  tables: TableFact[];
  rates: RateFact[];
  /** Those that have not ended. */
  leases: { networkId: number; mac: string; ipv4: string; endsAt: string }[];
  nameFiles: NameFileFact[];
  /** Of the networks; null: the one on the host that they ask where the host's own name servers answer it alone. */
  nameServers: { networkId: number | null; pid: number }[];
  /** Whether they ask that one. */
  isHostAsked: boolean;
}

/** An nft table as the state makes it, and as it is. */
export interface TableFact {
  /** "inet cumulus" */
  name: string;
  /** Null: the host's own. */
  namespace: string | null;
  /** Empty: that can't be seen. */
  expected: RulePart[];
  /** Empty: there is no such table. */
  found: RulePart[];
}

/** "chain forward", "map ingress4" and what is in it, as nft(8) writes it. */
export interface RulePart {
  name: string;
  lines: string[];
}

/** A file of a network's name server: the names that it answers for, or the addresses that it gives by DHCP. */
export interface NameFileFact {
  networkId: number;
  path: string;
  /** Lines, as the networks make them. */
  expected: string[];
  /** Null: it can't be read. */
  found: string[] | null;
}

/** What an interface may receive. */
export interface RateFact {
  tap: string;
  bytesPerSecond: number;
}

/** One thing that is not as it must be. */
export interface Disagreement {
  /** Name of the check. */
  check: string;
  /** What it is about: the same in each look at the same thing. */
  subject: string;
  /** What is wrong and what to do, in a sentence. */
  message: string;
}

export type Check = (snapshot: Snapshot) => Disagreement[];
