import { rename, rm } from "node:fs/promises";
import { CumulusError } from "../domain/errors";
import type { MachineSpec } from "../domain/machine";
import { pathsOf } from "../env";
import { failpoint } from "../failpoints";
import { isErrno, syncFile, syncFolder, writeFileAtomic } from "../system/files";
import { explainFullDisk } from "../system/fullDisk";
import type { HostContext } from "./context";
import { makeUefiVars } from "./disk";
import { diskSource } from "./diskSource";
import { makeMachineFolder } from "./folders";
import { filesIn, machinePaths, makingFolder } from "./machinePaths";
import { initialState, type MachineState } from "./machineState";
import { findFirmware } from "./qemu/firmware";
import { writeSeed } from "./seed";

/**
 * Makes a VM's folder with all that belongs in it, under a name that is swept after a crash, and gives it its own name when it is
 * whole: a VM's folder is there entirely or not at all.
 */
export async function makeMachine(context: HostContext, spec: MachineSpec): Promise<MachineState> {
  const { settings } = context;
  const paths = pathsOf(settings);
  const user = context.users.userOf(spec.id);
  const firmware = await findFirmware(spec.arch, spec.firmware);
  const making = filesIn(makingFolder(settings, spec.id));
  await rm(making.folder, { recursive: true, force: true });
  const source = await diskSource(context, spec);
  try {
    await makeMachineFolder(making.folder, user);
    failpoint("agent.ensure.folder-made");
    await source.makeDisk(making, user);
    if (firmware !== null) {
      await makeUefiVars(firmware, source.uefiVars ?? null, making.uefiVars, user);
    }
    failpoint("agent.ensure.disk-made");
    await writeSeed(spec.seed, making.seed, paths.staging, user);
    failpoint("agent.ensure.seed-made");
    const state = initialState(new Date().toISOString());
    await writeFileAtomic(making.state, `${JSON.stringify(state)}\n`);
    await writeFileAtomic(making.spec, `${JSON.stringify(spec, null, 2)}\n`);
    for (const file of [making.disk, ...(firmware === null ? [] : [making.uefiVars])]) await syncFile(file);
    await moveIn(making.folder, machinePaths(settings, spec.id).folder);
    await syncFolder(paths.machines);
    return state;
  } catch (error) {
    await rm(making.folder, { recursive: true, force: true });
    throw explainFullDisk(error);
  } finally {
    source.letGo();
  }
}

/** A folder is renamed over another one only when that is empty (rename(2)). */
async function moveIn(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
    throw new CumulusError(
      "conflict",
      `There is a folder ${to} already that holds no VM that can be read. Move it away and try again.`,
      {
        cause: error,
      },
    );
  }
}
