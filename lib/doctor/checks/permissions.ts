import { basename, dirname, join } from "node:path";
import type { Disagreement, FileFact, InstallationPaths, Snapshot } from "../snapshot";

const check = "permissions";

/** What only the agent writes in a VM's folder: if the VM's QEMU could, a guest that broke out would rule over its own start. */
const agentFiles = ["disk.json", "machine.json", "state.json", "serial.log", "qemu.log", "last-screen.png"];

/** Nobody but whom it is for reads or writes anything of a VM or a secret, and no QEMU has the agent's rights when that is root. */
export function checkPermissions(snapshot: Snapshot): Disagreement[] {
  return [...tooOpen(snapshot), ...foreignOwners(snapshot), ...processUsers(snapshot)];
}

function tooOpen({ files, paths }: Snapshot): Disagreement[] {
  return [...files].flatMap(([path, file]) => {
    const most = mostMode(path, file, paths);
    if (most === null || (file.mode & ~most) === 0) return [];
    return [
      {
        check,
        subject: `${path} mode`,
        message: `${path} is open to more users than need it (${octal(file.mode)}, at most ${octal(most)}): run chmod ${octal(file.mode & most)} ${path}.`,
      },
    ];
  });
}

/** The widest mode that a file may have; null where there is no rule. */
function mostMode(path: string, file: FileFact, paths: InstallationPaths): number | null {
  const { dataDir, runDir } = paths;
  const fixed: Record<string, number> = {
    [dataDir]: 0o711,
    [runDir]: 0o711,
    [paths.machines]: 0o711,
    [paths.machineSockets]: 0o711,
    [paths.images]: 0o710,
    [paths.staging]: 0o711,
    [paths.layers]: 0o710,
    [paths.snapshots]: 0o700,
    [join(dataDir, "postgres")]: 0o700,
    [join(dataDir, "admin-token")]: 0o600,
    [join(dataDir, "auth-secret")]: 0o600,
    [join(dataDir, "logs")]: 0o711,
    [join(runDir, "postgres")]: 0o700,
    [join(runDir, "agent")]: 0o750,
    [join(runDir, "agent", "agent.sock")]: 0o660,
  };
  const parent = dirname(path);
  if (path in fixed) return fixed[path] ?? null;
  if (parent === paths.machines || parent === paths.machineSockets) return 0o710;
  if (parent === paths.images) return /\.(qcow2|iso)$/.test(path) ? 0o640 : 0o600;
  if (parent === paths.layers) return path.endsWith(".json") ? 0o600 : 0o640;
  if (parent === paths.snapshots) return 0o700;
  if (dirname(parent) === paths.snapshots) return 0o600;
  if (parent === join(dataDir, "logs")) return 0o600;
  const isOfVm = [paths.machines, paths.machineSockets].includes(dirname(parent));
  // The agent hands the screen's socket to the console's group.
  if (isOfVm && basename(path) === "vnc.sock") return 0o770;
  if (isOfVm) return file.kind === "socket" ? 0o700 : 0o600;
  return null;
}

function foreignOwners({ files, paths }: Snapshot): Disagreement[] {
  const owner = files.get(paths.dataDir)?.uid;
  return [...files].flatMap(([path, { uid }]) => {
    const isFolder = dirname(path) === paths.machines;
    const isAgents = dirname(dirname(path)) === paths.machines && agentFiles.includes(basename(path));
    if ((!isFolder && !isAgents) || uid === owner) return [];
    return [
      {
        check,
        subject: `${path} owner`,
        message: `${path} belongs to user ${uid} and must be the agent's: run chown ${owner} ${path}.`,
      },
    ];
  });
}

function processUsers({ processes, machines, files, paths }: Snapshot): Disagreement[] {
  return (processes ?? []).flatMap(({ pid, uid, vmId }) => {
    if (uid === 0) {
      return [
        {
          check,
          subject: `process ${pid} user`,
          message: `QEMU process ${pid} runs as root, and so would a guest that broke out of it: stop the VM and start it again.`,
        },
      ];
    }
    const name = machines.find(({ id }) => id === vmId)?.record?.disk ?? "disk.qcow2";
    const disk = join(paths.machines, String(vmId), name);
    const diskOwner = files.get(disk)?.uid;
    if (diskOwner === undefined || diskOwner === uid) return [];
    return [
      {
        check,
        subject: `process ${pid} user`,
        message: `QEMU process ${pid} runs as user ${uid} and its disk ${disk} belongs to user ${diskOwner}: stop the VM, run chown ${uid} ${disk}, and start it.`,
      },
    ];
  });
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
