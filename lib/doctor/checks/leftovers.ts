import { basename, dirname, join } from "node:path";
import type { Disagreement, Snapshot } from "../snapshot";
import { looksIn, machineOf, nameOf } from "./words";

const check = "leftovers";

/** What the agent keeps in a VM's folder. */
const machineFiles = [
  "disk.json",
  "seed.iso",
  "machine.json",
  "state.json",
  "serial.log",
  "qemu.log",
  "last-screen.png",
];
const socketFiles = [
  "qmp.sock",
  "rescue.sock",
  "vnc.sock",
  "agent.sock",
  "serial-qemu.sock",
  "serial.sock",
  "screen.png",
  "incoming.sock",
  "outgoing.sock",
];

/** A file that replaces another one is for a moment beside it. */
const replacing = /\.tmp$/;
const replacedWithinMs = 60_000;

const stagedWithinMs = 60 * 60_000;
const browsedWithinMs = 24 * 60 * 60_000;

/** Nothing lies about that belongs to no VM: folders, files and sockets of deleted ones, and what crashes left. */
export function checkLeftovers(snapshot: Snapshot): Disagreement[] {
  const { paths } = snapshot;
  return [
    ...foreignFolders(snapshot, paths.machines),
    ...foreignFolders(snapshot, paths.machineSockets),
    ...foreignFiles(snapshot, paths.machines, machineFiles),
    ...foreignFiles(snapshot, paths.machineSockets, socketFiles),
    ...oldStaging(snapshot),
    ...disksNotGivenBack(snapshot),
    ...oldBrowsing(snapshot),
  ];
}

function foreignFolders(snapshot: Snapshot, parent: string): Disagreement[] {
  const live = new Set(snapshot.vms.map(({ id }) => String(id)));
  const underWay = new Set(snapshot.vms.filter((vm) => vm.isUnderWay).map(({ id }) => String(id)));
  return entriesOf(snapshot, parent)
    .filter((path) => {
      const name = basename(path);
      const id = /^\.(?:making|removing)-(\d+)$/.exec(name)?.[1];
      return id === undefined ? !live.has(name) : !underWay.has(id);
    })
    .map((path) => ({
      check,
      subject: path,
      message: `${path} belongs to no VM of the database: if nobody needs what is in it, remove it with rm -r ${path}.`,
    }));
}

function foreignFiles(snapshot: Snapshot, parent: string, known: string[]): Disagreement[] {
  return snapshot.vms
    .flatMap(({ id }) => entriesOf(snapshot, join(parent, String(id))))
    .filter((path) => !isDiskOf(snapshot, path))
    .filter((path) => {
      const ageMs = snapshot.takenAtMs - (snapshot.files.get(path)?.modifiedAtMs ?? 0);
      const isReplacing = replacing.test(path) && ageMs < replacedWithinMs;
      return !known.includes(basename(path)) && !isReplacing;
    })
    .map((path) => ({
      check,
      subject: path,
      message: `${path} is no file of Cumulus': if nobody needs it, remove it.`,
    }));
}

/** Which files are a VM's disk and UEFI variables is on record; a merge makes another one beside it. */
function isDiskOf({ machines, takenAtMs, files }: Snapshot, path: string): boolean {
  const id = Number(basename(dirname(path)));
  const record = machines.find((machine) => machine.id === id)?.record;
  if (record === null || record === undefined) return false;
  const name = basename(path);
  if ([record.disk, record.uefiVars, record.cutDisk, ...record.replaced].includes(name)) return true;
  const ageMs = takenAtMs - (files.get(path)?.modifiedAtMs ?? 0);
  return /^(disk|uefi-vars)-[0-9a-f]{16}\.(qcow2|fd)$/.test(name) && ageMs < stagedWithinMs;
}

function oldStaging({ files, paths, takenAtMs, openOperations }: Snapshot): Disagreement[] {
  // A download may take a day, and is held to its operation's own deadline.
  const underWay = new Set(openOperations.map(({ id }) => join(paths.staging, `image-${id}`)));
  return [...files]
    .filter(([path, { modifiedAtMs }]) => dirname(path) === paths.staging && takenAtMs - modifiedAtMs > stagedWithinMs)
    .filter(([path]) => !underWay.has(path))
    .map(([path]) => ({
      check,
      subject: path,
      message: `${path} has been on its way for more than an hour: restart the agent, which sweeps what a crash left, or remove it.`,
    }));
}

/** A restore gives back what it replaced or is done, and drops it. */
function disksNotGivenBack(snapshot: Snapshot): Disagreement[] {
  const { vms, openOperations, paths } = snapshot;
  const underWay = new Set(openOperations.flatMap(({ kind, vmId }) => (kind === "snapshot-restore" ? [vmId] : [])));
  return vms.flatMap((vm) => {
    const machine = machineOf(snapshot, vm);
    const [disk] = machine?.record?.replaced ?? [];
    if (disk === undefined || !machine?.isBeingRestored || underWay.has(vm.id)) return [];
    const path = join(paths.machines, String(vm.id), disk);
    return [
      {
        check,
        subject: `${vm.id} not given back`,
        message: `${path} is the disk that ${nameOf(vm)} had before a restore that failed and could not be undone: get it back as docs/snapshots.md says, or restore the VM to a snapshot, after which it goes.`,
      },
    ];
  });
}

/** Looks into snapshots end when nobody has looked for two minutes. */
function oldBrowsing(snapshot: Snapshot): Disagreement[] {
  return looksIn(snapshot)
    .filter((path) => snapshot.takenAtMs - (snapshot.files.get(path)?.modifiedAtMs ?? 0) > browsedWithinMs)
    .map((path) => ({
      check,
      subject: path,
      message: `${path} is of a look into a snapshot that began more than a day ago: restart the agent, which sweeps what a crash left, or remove it.`,
    }));
}

function entriesOf({ files }: Snapshot, folder: string): string[] {
  return [...files.keys()].filter((path) => dirname(path) === folder);
}
