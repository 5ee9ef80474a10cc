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
  /** Whether the host's agent answers the console, as the console wrote it down. */
  isHostAway: boolean;
  /** By absolute path. */
  files: ReadonlyMap<string, FileFact>;
  /** Folders among the VMs' that are named by an id. */
  machines: MachineFact[];
  manifests: ManifestFact[];
  pidFiles: PidFileFact[];
  /** QEMU processes whose command line names our folders; null where processes can't be looked at (no /proc). */
  processes: ProcessFact[] | null;
}

export interface InstallationPaths {
  dataDir: string;
  runDir: string;
  images: string;
  staging: string;
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
  imageSha256: string;
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

export interface ImageFact {
  id: number;
  name: string;
  sha256: string;
  fileBytes: number;
}

export interface OperationFact {
  id: number;
  kind: string;
  vmId: number | null;
  isVmDeleted: boolean;
  /** From when on it counts as late, if it was no deadline of its own. */
  dueFromMs: number;
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
  spec: { id: number; uuid: string; mac: string; ipv4: string; sshHostPort: number; imageSha256: string } | null;
  /** The process that `state.json` says is its QEMU, if that process lives. */
  recordedProcess: LivingProcess | null;
  /** Null: there is none. */
  disk: DiskFact | null;
}

export type DiskFact = { opens: true; backingFile: string | null } | { opens: false; reason: string };

export interface ManifestFact {
  path: string;
  /** Null when it can't be read. */
  sha256: string | null;
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
  qmp: { answers: true; uuid: string; status: string } | { answers: false; reason: string };
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
