import { execa } from "execa";
import { messageOf } from "../domain/errors";
import type { Log } from "./log";

/**
 * Removes a folder that somebody with fewer rights may write to at that moment. rm(1) goes by open folders, where Node's own goes by paths, and would be led
 * elsewhere by one that is exchanged for a link in between.
 * @throws when something stays, as it may where somebody makes files all the while
 */
export async function removeTree(path: string): Promise<void> {
  await execa("rm", ["-rf", "--", path]);
}

/** As `removeTree`, for what the agent's next start sweeps too: it may stay until then, and the log says why. @returns whether it is gone */
export async function tryRemoveTree(path: string, log: Pick<Log, "warn">): Promise<boolean> {
  try {
    await removeTree(path);
    return true;
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, "a folder can't be removed: the agent tries again when it next starts");
    return false;
  }
}
