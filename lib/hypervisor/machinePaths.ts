import { platform } from "node:os";
import { join } from "node:path";
import { CumulusError } from "../domain/errors";
import { pathsOf, type Settings } from "../env";

/**
 * Where the files of one VM lie. Those of the agent alone (spec, state, logs) can't be replaced by the VM's QEMU: `folder` is the
 * agent's, and so is `runFolder` once the guest runs.
 */
export interface MachinePaths {
  folder: string;
  /** The disk that is made first; which one it is now: diskRecord.ts. */
  disk: string;
  diskRecord: string;
  seed: string;
  uefiVars: string;
  spec: string;
  state: string;
  serialLog: string;
  /** What QEMU says on stdout and stderr. */
  qemuLog: string;
  lastScreen: string;
  runFolder: string;
  qmp: string;
  /** A second QMP socket: the first takes one client only. */
  rescue: string;
  vnc: string;
  guestAgent: string;
  /** Where a QEMU that goes on from a snapshot takes its memory from. */
  incoming: string;
  /** Where the agent takes a guest's memory for a snapshot. */
  outgoing: string;
  /** QEMU's end of the serial port; its one client is the agent. */
  serialQemu: string;
  /** The serial port for people: any number of clients. */
  serial: string;
  /** Where QEMU writes a picture of the screen. */
  screen: string;
}

type Folders = Pick<Settings, "dataDir" | "runDir">;

/** Pure. */
export function machinePaths(settings: Folders, id: number): MachinePaths {
  const paths = pathsOf(settings);
  const runFolder = join(paths.machineSockets, String(id));
  return { ...filesIn(join(paths.machines, String(id))), ...socketsIn(runFolder) };
}

/** A VM's folder while it is being made or removed: whatever has such a name after a crash is swept. */
export function makingFolder(settings: Folders, id: number): string {
  return join(pathsOf(settings).machines, `.making-${id}`);
}

export function removingFolder(settings: Folders, id: number): string {
  return join(pathsOf(settings).machines, `.removing-${id}`);
}

export const leftoverPattern = /^\.(making|removing)-\d+$/;

export function filesIn(folder: string) {
  return {
    folder,
    disk: join(folder, "disk.qcow2"),
    diskRecord: join(folder, "disk.json"),
    seed: join(folder, "seed.iso"),
    uefiVars: join(folder, "uefi-vars.fd"),
    spec: join(folder, "machine.json"),
    state: join(folder, "state.json"),
    serialLog: join(folder, "serial.log"),
    qemuLog: join(folder, "qemu.log"),
    lastScreen: join(folder, "last-screen.png"),
  };
}

function socketsIn(runFolder: string) {
  return {
    runFolder,
    qmp: join(runFolder, "qmp.sock"),
    rescue: join(runFolder, "rescue.sock"),
    vnc: join(runFolder, "vnc.sock"),
    guestAgent: join(runFolder, "agent.sock"),
    outgoing: join(runFolder, "outgoing.sock"),
    incoming: join(runFolder, "incoming.sock"),
    serialQemu: join(runFolder, "serial-qemu.sock"),
    serial: join(runFolder, "serial.sock"),
    screen: join(runFolder, "screen.png"),
  };
}

/** That a VM with the highest id can have its sockets where the settings put them. */
export function assertSocketPaths(settings: Folders): void {
  // sun_path without its ending NUL: of 108 bytes in unix(7), of 104 in XNU.
  const maxBytes = platform() === "darwin" ? 103 : 107;
  const bytes = Buffer.byteLength(machinePaths(settings, 2_147_483_647).serialQemu);
  if (bytes <= maxBytes) return;
  throw new CumulusError(
    "unavailable",
    `The run folder ${settings.runDir} makes socket paths of ${bytes} bytes, and the system allows ${maxBytes}: set CUMULUS_RUN_DIR to a shorter one.`,
  );
}
