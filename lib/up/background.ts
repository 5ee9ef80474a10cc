import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { z } from "zod";
import type { Settings } from "../env";
import { logFileOf } from "../log";
import { ensureServiceAccount } from "../serviceAccount";
import { makeFolders } from "./folders";
import type { Audience } from "./supervise";

/** What a supervisor in the background tells whoever started it, over Node's IPC channel. */
const messageSchema = z.union([z.object({ line: z.string() }), z.object({ isReady: z.literal(true) })]);
type Message = z.infer<typeof messageSchema>;

/** Starts a supervisor that outlives this process, and prints what it says until Cumulus is ready. Answers the exit code. */
export async function startInBackground(settings: Settings): Promise<number> {
  await makeFolders(settings, await ensureServiceAccount());
  // What it says after that (a crash) goes to its log.
  const log = await open(logFileOf("up", settings), "a", 0o600);
  const child = spawn(process.execPath, [...process.argv.slice(1, 2), "--background"], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  await log.close();
  const ready = new Promise<number>((resolve) => {
    child.on("message", (message) => {
      const told: Message = messageSchema.parse(message);
      if ("line" in told) console.log(told.line);
      else resolve(0);
    });
  });
  const ended = once(child, "exit").then(([code]) => Number(code ?? 1));
  const exitCode = await Promise.race([ready, ended]);
  if (child.connected) child.disconnect();
  child.unref();
  return exitCode;
}

/** The other end: the supervisor's audience is its starter, as long as that listens. */
export function talkToStarter(): Audience {
  return {
    print: (line) => void tellStarter({ line }),
    onReady: () => void tellStarter({ isReady: true }),
    showsLogs: false,
  };
}

/** Resolves when the message is on its way, or there is nobody to tell. */
export function tellStarter(message: Message): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}
