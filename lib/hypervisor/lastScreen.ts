import { readFile } from "node:fs/promises";
import { messageOf } from "../domain/errors";
import { isErrno, writeFileAtomic } from "../system/files";
import type { Log } from "../system/log";
import type { MachinePaths } from "./machinePaths";
import type { RunningQemu } from "./runningQemu";

/** Keeps a picture of the screen for when the VM is off. A QEMU that gives none is ended without. */
export async function keepLastScreen(
  qemu: RunningQemu,
  paths: Pick<MachinePaths, "lastScreen">,
  vm: number,
  log: Log,
): Promise<void> {
  try {
    await writeFileAtomic(paths.lastScreen, await qemu.screenshot());
  } catch (error) {
    log.debug({ vm, error: messageOf(error) }, "no last picture of the screen");
  }
}

/** The picture that was kept when the VM last stopped; null when there is none. */
export async function readLastScreen({ lastScreen }: Pick<MachinePaths, "lastScreen">): Promise<Buffer | null> {
  try {
    return await readFile(lastScreen);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}
