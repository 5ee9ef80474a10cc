import { join } from "node:path";
import type { FileFact, MachineFact, ProcessFact, Snapshot, VmFact } from "./snapshot";

/** For tests: an installation as root makes it, with two VMs that run and one that is off, in which everything agrees. */
export function healthySnapshot(): Snapshot & { files: Map<string, FileFact>; processes: ProcessFact[] } {
  const paths = {
    dataDir: "/data",
    runDir: "/run/c",
    images: "/data/images",
    staging: "/data/staging",
    layers: "/data/layers",
    snapshots: "/data/snapshots",
    machines: "/data/vms",
    machineSockets: "/run/c/vms",
  };
  const vms = [vmFact(1, "running"), vmFact(2, "running"), vmFact(3, "stopped")];
  const files = new Map<string, FileFact>([
    ["/data", folder(0o711)],
    ["/data/admin-token", file(0o600, 999)],
    ["/data/logs", folder(0o711)],
    ["/data/logs/agent.log", file(0o600)],
    ["/data/images", folder(0o710)],
    [`/data/images/${imageSha256}.qcow2`, { ...file(0o440), sizeBytes: imageBytes }],
    [`/data/images/${imageSha256}.mini.json`, file(0o600)],
    ["/data/staging", folder(0o700)],
    ["/data/vms", folder(0o711)],
    ["/run/c", folder(0o711)],
    ["/run/c/vms", folder(0o711)],
    ...vms.flatMap(filesOf),
  ]);
  return {
    takenAtMs: nowMs,
    paths,
    vms,
    images: [
      {
        ...{ id: 1, name: "mini", kind: "disk", sha256: imageSha256, fileBytes: imageBytes },
        ...{ variablesSha256: null, isBeingRemoved: false },
      },
    ],
    openOperations: [],
    snapshotRows: [],
    strandedBackups: [],
    isHostAway: false,
    files,
    machines: vms.map(machineFact),
    manifests: [
      {
        path: `/data/images/${imageSha256}.mini.json`,
        image: { sha256: imageSha256, name: "mini" },
        modifiedAtMs: longAgoMs,
      },
    ],
    layers: [],
    snapshotFolders: [],
    pidFiles: [{ path: "/run/c/agent.pid", process: { pid: 50, program: "node" } }],
    processes: [processFact(1), processFact(2)],
    network: null,
    askedNetworks: null,
    shadowedForwards: [],
    interfaces: vms.map(({ id, networkId, ipv4, mac }) => ({ vmId: id, interfaceId: "net0", networkId, ipv4, mac })),
    addresses: vms.map(({ id, networkId, ipv4 }) => ({
      networkId,
      ipv4,
      vmId: id,
      hasReservedMac: false,
      isReleased: false,
    })),
  };
}

export const imageSha256 = "a".repeat(64);
export const nowMs = Date.parse("2026-11-22T12:00:00Z");
const longAgoMs = nowMs - 24 * 3600_000;
const imageBytes = 17_000_000;
const baseUid = 1_900_000_000;

function vmFact(id: number, state: "running" | "stopped"): VmFact {
  return {
    id,
    uuid: `00000000-0000-4000-8000-00000000000${id}`,
    name: `vm-${id}`,
    hostId: 1,
    networkId: 1,
    ipv4: `192.168.0.${id + 1}`,
    mac: `52:54:00:00:00:0${id}`,
    sshHostPort: 20_000 + id,
    forwardedPorts: [8_000 + id],
    imageSha256,
    cdromSha256: null,
    desired: state,
    observed: state,
    observedAtMs: nowMs - 1000,
    createdAtMs: longAgoMs,
    lastError: null,
    hasDisk: true,
    isUnderWay: false,
  };
}

function machineFact({ id, uuid, mac, ipv4, sshHostPort }: VmFact): MachineFact {
  return {
    id,
    spec: { id, uuid, mac, ipv4, sshHostPort, imageSha256, cdromSha256: null },
    startedWithPort: sshHostPort,
    recordedProcess: id === 3 ? null : { pid: 100 + id, program: "qemu-system-x86_64" },
    isBeingRestored: false,
    record: {
      disk: "disk.qcow2",
      uefiVars: "uefi-vars.fd",
      parent: null,
      cutDisk: null,
      replaced: [],
      otherLayers: [],
    },
    disk: { opens: true, backingFile: `/data/images/${imageSha256}.qcow2`, damage: null },
  };
}

/** The QEMU of one of the VMs that run. */
export function processFact(id: number): ProcessFact {
  const { uuid, mac, sshHostPort, forwardedPorts } = vmFact(id, "running");
  const sockets = socketNames.map((name) => `/run/c/vms/${id}/${name}`);
  return {
    pid: 100 + id,
    uid: baseUid + id,
    vmId: id,
    uuid,
    disks: [`/data/vms/${id}/disk.qcow2`],
    macs: [mac],
    sockets,
    listeners: { unix: [...sockets], tcp: [sshHostPort, ...forwardedPorts].map((port) => `127.0.0.1:${port}`) },
    qmp: { answers: true, uuid, status: "running", hasBlockJob: false },
  };
}

const socketNames = ["qmp.sock", "rescue.sock", "vnc.sock", "agent.sock", "serial-qemu.sock"];

function filesOf({ id, desired }: VmFact): [string, FileFact][] {
  const at = (name: string) => join("/data/vms", String(id), name);
  const run = (name: string) => join("/run/c/vms", String(id), name);
  const isRunning = desired === "running";
  return [
    [at(""), folder(0o710)],
    [at("disk.qcow2"), file(0o600, baseUid + id)],
    [at("seed.iso"), file(0o400, baseUid + id)],
    [at("machine.json"), file(0o600)],
    [at("state.json"), file(0o600)],
    [at("serial.log"), file(0o600)],
    [run(""), folder(0o710)],
    [run("serial.sock"), socket(0)],
    ...(isRunning ? socketNames.map((name): [string, FileFact] => [run(name), socket(baseUid + id)]) : []),
  ].map(([path, fact]) => [String(path).replace(/\/$/, ""), fact as FileFact]);
}

export function folder(mode: number): FileFact {
  return { kind: "folder", mode, uid: 0, sizeBytes: 4096, modifiedAtMs: longAgoMs };
}

export function file(mode: number, uid = 0): FileFact {
  return { kind: "file", mode, uid, sizeBytes: 100, modifiedAtMs: longAgoMs };
}

function socket(uid: number): FileFact {
  return { kind: "socket", mode: 0o700, uid, sizeBytes: 0, modifiedAtMs: longAgoMs };
}
