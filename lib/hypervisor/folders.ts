import { chmod, chown, mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../domain/errors";
import { pathsOf, type Settings } from "../env";
import { prepareImageStore } from "../images/store";
import type { Log } from "../system/log";
import type { MachineUser, UserScheme } from "../system/machineUsers";
import { leftoverPattern, type MachinePaths } from "./machinePaths";

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
    await makeFolder(settings.runDir, mode);
    await makeFolder(paths.machineSockets, mode);
  } catch (error) {
    // VMs that run need no new socket: they must not suffer.
    log.error({ error: messageOf(error) }, "the run folder can't be prepared: no VM can be started until it can");
  }
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

/** What a crash left half made or half removed. Only names that nothing else has. */
export async function sweepLeftovers(settings: Settings, log: Log): Promise<void> {
  const paths = pathsOf(settings);
  const ours: [string, RegExp][] = [
    [paths.machines, leftoverPattern],
    [paths.staging, /^(seed-\w{6}|image-[0-9a-f]{16}\.qcow2)$/],
  ];
  for (const [folder, pattern] of ours) {
    for (const name of (await readdir(folder)).filter((name) => pattern.test(name))) {
      await rm(join(folder, name), { recursive: true, force: true });
      log.info({ path: join(folder, name) }, "swept what a crash left");
    }
  }
}

/** The folder of a VM's files: the agent's; the VM's user finds in it what it is told of. */
export async function makeMachineFolder(folder: string, user: MachineUser | null): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  if (user === null) return;
  await chown(folder, 0, user.gid);
  await chmod(folder, 0o710);
}

/** The folder of a VM's sockets, with those of an earlier QEMU gone, open for QEMU to make its own. */
export async function openRunFolder(paths: MachinePaths, user: MachineUser | null): Promise<void> {
  await makeRunFolder(paths);
  const { qmp, rescue, vnc, guestAgent, serialQemu, screen } = paths;
  for (const path of [qmp, rescue, vnc, guestAgent, serialQemu, screen]) await rm(path, { force: true });
  if (user !== null) await chown(paths.runFolder, user.uid, user.gid);
}

export async function makeRunFolder(paths: MachinePaths): Promise<void> {
  await mkdir(paths.runFolder, { recursive: true, mode: 0o700 });
}

/**
 * Takes the folder with the sockets away from QEMU before the guest runs. A guest that broke out of its QEMU could otherwise put
 * another VM's socket in the place of its own, and the agent would hand that to this VM's owner.
 */
export async function closeRunFolder(paths: MachinePaths, user: MachineUser | null): Promise<void> {
  if (user === null) return;
  await chown(paths.runFolder, 0, user.gid);
  await chmod(paths.runFolder, 0o710);
}
