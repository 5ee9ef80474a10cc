import { chmod, chown, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CumulusError, messageOf } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { failpoint } from "../failpoints";
import { prepareImageStore } from "../images/store";
import { isErrno, syncFolder } from "../system/files";
import type { Log } from "../system/log";
import type { MachineUser, UserScheme } from "../system/machineUsers";
import { tryRemoveTree } from "../system/removeTree";
import { leftoverPattern, type MachinePaths, machinePaths, removingFolder } from "./machinePaths";

/**
 * Folders of the installation. Where VMs have users of their own, these pass through (0711) and see nothing; else all is the
 * agent's alone (0700).
 */
export async function prepareFolders(settings: Settings, scheme: UserScheme, log: Log): Promise<void> {
  const mode = scheme.kind === "own" ? 0o700 : 0o711;
  const paths = pathsOf(settings);
  await makeFolder(settings.dataDir, mode);
  await makeFolder(paths.machines, mode);
  await prepareImageStore(paths);
  try {
    await prepareRunFolder(settings, scheme);
  } catch (error) {
    // VMs that run need no new socket: they must not suffer.
    log.error({ error: messageOf(error) }, "the run folder can't be prepared: no VM can be started until it can");
  }
}

async function prepareRunFolder(settings: Settings, scheme: UserScheme): Promise<void> {
  const mode = scheme.kind === "own" ? 0o700 : 0o711;
  await makeFolder(settings.runDir, mode);
  await makeFolder(pathsOf(settings).machineSockets, mode);
}

/** Makes a folder, and what leads to it, with a mode that no umask changes; one that is there gets the mode too. */
async function makeFolder(path: string, mode: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode });
  if (first === undefined) return chmod(path, mode);
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await chmod(folder, mode);
}

/** The first folder on the way to the installation that users of VMs can't pass through; null when all can, or needn't. */
export async function closedFolder(settings: Settings, scheme: UserScheme): Promise<string | null> {
  if (scheme.kind === "own") return null;
  for (const path of [settings.dataDir, settings.runDir]) {
    for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
      if (((await stat(folder)).mode & 0o001) === 0) return folder;
    }
  }
  return null;
}

/** Of what works on disks, which ends with the agent. Earlier versions had `browse` and `merge`. */
const workPattern = /^((browse|guestfish)-\w{6}|merge)$/;

/** A file's next content, that never took its place. */
const stagedPattern = /\.tmp$/;

/**
 * What a crash left half made or half removed: only what has a name that nothing else has, and sockets of VMs that are gone. What can't be removed stays, and
 * the log says so.
 * @param isRunning whether a QEMU uses this run folder
 */
export async function sweepLeftovers(
  settings: Settings,
  isRunning: (runFolder: string) => boolean,
  log: Log,
): Promise<void> {
  const paths = pathsOf(settings);
  const ids = await listMachineIds(paths.machines);
  const ours: [string, RegExp][] = [
    [paths.machines, leftoverPattern],
    ...ids.map((id): [string, RegExp] => [machinePaths(settings, id).folder, stagedPattern]),
    [paths.staging, /^((seed|browse)-\w{6}|image-[0-9a-f]{16}\.qcow2)$/],
    [settings.runDir, workPattern],
  ];
  for (const [folder, pattern] of ours) {
    for (const name of (await readdir(folder)).filter((name) => pattern.test(name))) {
      const path = join(folder, name);
      if (await tryRemoveTree(path, log)) log.info({ path }, "swept what a crash left");
    }
  }
  // Those who changed disks ended with the agent.
  await tryRemoveTree(paths.guestfsScratch, log);
  const kept = new Set(ids);
  for (const id of await listMachineIds(paths.machineSockets)) {
    const { runFolder } = machinePaths(settings, id);
    if (!kept.has(id) && !isRunning(runFolder)) await rm(runFolder, { recursive: true, force: true });
  }
}

/** The folder of a VM's files: the agent's; the VM's user finds in it what it is told of. */
export async function makeMachineFolder(folder: string, user: MachineUser | null): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  if (user === null) return;
  await chown(folder, 0, user.gid);
  await chmod(folder, 0o710);
}

/** Removes a VM's folder: under another name first, so that a crash leaves either a VM or something that is swept. */
export async function removeMachineFolders(settings: Settings, id: number): Promise<void> {
  const { folder, runFolder } = machinePaths(settings, id);
  const removing = removingFolder(settings, id);
  await rm(removing, { recursive: true, force: true });
  try {
    await rename(folder, removing);
    await syncFolder(dirname(folder));
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
  failpoint("agent.remove.half-removed");
  await rm(runFolder, { recursive: true, force: true });
  await rm(removing, { recursive: true, force: true });
}

/** Ids of VMs, from the names of their folders. */
export async function listMachineIds(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [] as string[];
    throw error;
  });
  return names.filter((name) => /^[1-9]\d{0,9}$/.test(name)).map(Number);
}

/** The folder of a VM's sockets, with those of an earlier QEMU gone, open for QEMU to make its own. */
export async function openRunFolder(settings: Settings, scheme: UserScheme, id: number): Promise<void> {
  const paths = machinePaths(settings, id);
  const user = scheme.userOf(id);
  try {
    await makeRunFolder(settings, scheme, id);
    await removeQemuSockets(paths);
    // Made here: QEMU can write it, but not make it once the folder is closed.
    await writeFile(paths.screen, "", { mode: 0o600 });
    if (user === null) return;
    for (const path of [paths.screen, paths.runFolder]) await chown(path, user.uid, user.gid);
  } catch (error) {
    throw new CumulusError("unavailable", `The run folder ${settings.runDir} can't be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

export async function makeRunFolder(settings: Settings, scheme: UserScheme, id: number): Promise<void> {
  await prepareRunFolder(settings, scheme);
  await mkdir(machinePaths(settings, id).runFolder, { recursive: true, mode: 0o700 });
}

/** QEMU leaves its sockets where they were. */
export async function removeQemuSockets({
  qmp,
  rescue,
  vnc,
  guestAgent,
  serialQemu,
  incoming,
  outgoing,
  screen,
}: MachinePaths): Promise<void> {
  for (const path of [qmp, rescue, vnc, guestAgent, serialQemu, incoming, outgoing, screen])
    await rm(path, { force: true });
}

/**
 * Takes the folder with the sockets away from QEMU before the guest runs. A guest that broke out of its QEMU could otherwise put
 * another VM's socket in the place of its own, and the agent would hand that to this VM's owner.
 */
export async function closeRunFolder(paths: MachinePaths, user: MachineUser | null): Promise<void> {
  if (user === null) return;
  const { uid, mode } = await stat(paths.runFolder);
  if (uid === 0 && (mode & 0o777) === 0o710) return;
  await chown(paths.runFolder, 0, user.gid);
  await chmod(paths.runFolder, 0o710);
}
