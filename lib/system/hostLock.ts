import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Takes a lock that all processes of the host share (flock(2)), and waits for it. The kernel lets go of it when this process ends, however it does.
 * @param file what the lock is on: it must exist, and isn't changed
 * @returns lets go of it
 */
export async function takeHostLock(file: string): Promise<() => Promise<void>> {
  // What is written comes back once the lock is held; the end of what is written ends the holder.
  const holder = spawn("flock", [file, "cat"], { stdio: ["pipe", "pipe", "ignore"] });
  const hasEnded = once(holder, "close");
  // Its end is told below; that it can no longer be written to is not news.
  holder.stdin.on("error", () => undefined);
  holder.stdin.write("?");
  await Promise.race([
    once(holder.stdout, "data"),
    hasEnded.then(() => Promise.reject(new Error(`${file} can't be locked.`))),
  ]);
  return async () => {
    holder.stdin.end();
    await hasEnded;
  };
}
