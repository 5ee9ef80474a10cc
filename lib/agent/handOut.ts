import { randomBytes } from "node:crypto";
import { chmod, lchown, link, lstat, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const prefix = "vnc-";

/**
 * Lets the console open a VM's socket itself, so that the bytes don't pass through the agent: makes another name for the socket, in a folder
 * that the console may enter. The VM's own folder stays closed to it. Whoever asks removes the name once it was used.
 *
 * Null where the file system gives a socket no second name: the bytes are then relayed.
 */
export async function handOut(socket: string, folder: string): Promise<string | null> {
  const name = join(folder, prefix + randomBytes(8).toString("hex"));
  try {
    await link(socket, name);
    // Names in the folder are the agent's alone: what is looked at is what is changed.
    if (!(await lstat(name)).isSocket()) throw new Error(`${socket} is no socket.`);
    await lchown(name, -1, (await stat(folder)).gid);
    await chmod(name, 0o660);
    return name;
  } catch {
    await rm(name, { force: true });
    return null;
  }
}

/** Removes what an agent that crashed had handed out. */
export async function sweepHandedOut(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix)) await rm(join(folder, name), { force: true });
  }
}
