import { access, constants, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../../env";
import { isErrno, readTextIfThere } from "../../system/files";
import { takeHostLock } from "../../system/hostLock";

/** Whether users without rights may watch their own memory for writes (Linux' Documentation/admin-guide/sysctl/vm.rst). */
export const userfaultfdSetting = "/proc/sys/vm/unprivileged_userfaultfd";

/** Why busy guests stand still while their memory is written for a snapshot, and what to do about it; null: they run on. */
export async function whyMemoryStopsGuests(): Promise<string | null> {
  return whyNotWatched((await readTextIfThere(userfaultfdSetting))?.trim() ?? null, await isChangeable());
}

/** The same by the host's setting, null where there is none, and whether this process may change it. Pure. */
export function whyNotWatched(setting: string | null, mayChange: boolean): string | null {
  if (setting !== null && (setting !== "0" || mayChange)) return null;
  const what =
    "A snapshot with memory stops a guest that changes its memory faster than that is copied until all of it is written, seconds for each GiB; other guests, and snapshots of the disk alone, for a moment.";
  return setting === null
    ? `${what} QEMU can do it while such a guest runs only by Linux' userfaultfd, which this system lacks.`
    : `${what} This host lets only root watch memory for writes, and the agent may not change that. Run Cumulus as root, or as root: sysctl -w vm.unprivileged_userfaultfd=1`;
}

const markFile = (settings: Pick<Settings, "runDir">) => join(settings.runDir, "userfaultfd-open");

/**
 * Lets QEMU, which runs without rights, watch its memory until what is answered is called: it keeps the descriptor that it opens meanwhile. The host's
 * setting is put back then, or by the next agent. One at a time on a host, so that no other agent puts it back too soon. Where it can't be
 * changed, QEMU is refused and says so.
 */
export async function openUserfaultfd(settings: Pick<Settings, "runDir">): Promise<() => Promise<void>> {
  if (!(await isChangeable())) return async () => {};
  const letGo = await takeHostLock(userfaultfdSetting);
  let isOurs = false;
  const close = async () => {
    try {
      if (isOurs) await putBack(settings);
    } finally {
      isOurs = false;
      await letGo();
    }
  };
  try {
    if ((await readFile(userfaultfdSetting, "utf8")).trim() !== "0") return close;
    await writeFile(markFile(settings), "");
    isOurs = true;
    await writeFile(userfaultfdSetting, "1");
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Puts the host's setting back if an agent before this one ended with it changed. */
export async function recoverUserfaultfd(settings: Pick<Settings, "runDir">): Promise<void> {
  try {
    await readFile(markFile(settings));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  const letGo = await takeHostLock(userfaultfdSetting);
  try {
    await putBack(settings);
  } finally {
    await letGo();
  }
}

async function isChangeable(): Promise<boolean> {
  return access(userfaultfdSetting, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function putBack(settings: Pick<Settings, "runDir">): Promise<void> {
  await writeFile(userfaultfdSetting, "0");
  await rm(markFile(settings), { force: true });
}
