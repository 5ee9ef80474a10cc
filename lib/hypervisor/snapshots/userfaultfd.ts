import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../../env";
import { isErrno } from "../../system/files";

/** Whether users without rights may watch their own memory for writes (Linux' Documentation/admin-guide/sysctl/vm.rst). */
const setting = "/proc/sys/vm/unprivileged_userfaultfd";

const markFile = (settings: Pick<Settings, "runDir">) => join(settings.runDir, "userfaultfd-open");

let users = 0;
let opening: Promise<boolean> = Promise.resolve(false);

/**
 * Lets QEMU, which runs without rights, watch its memory while the act goes on: it keeps the descriptor that it opens meanwhile. The host's setting is put back
 * afterwards, or by the next agent. Where it can't be changed, QEMU is refused and says so.
 */
export async function withUserfaultfd<T>(settings: Pick<Settings, "runDir">, act: () => Promise<T>): Promise<T> {
  users += 1;
  if (users === 1) opening = open(settings);
  const isOurs = await opening;
  try {
    return await act();
  } finally {
    users -= 1;
    if (users === 0 && isOurs) await putBack(settings);
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
  await putBack(settings);
}

/** Answers whether there is something to put back. */
async function open(settings: Pick<Settings, "runDir">): Promise<boolean> {
  try {
    if ((await readFile(setting, "utf8")).trim() !== "0") return false;
    await writeFile(markFile(settings), "");
    await writeFile(setting, "1");
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "EPERM", "EROFS")) return false;
    throw error;
  }
}

async function putBack(settings: Pick<Settings, "runDir">): Promise<void> {
  await writeFile(setting, "0");
  await rm(markFile(settings), { force: true });
}
