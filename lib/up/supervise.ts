import { once } from "node:events";
import { rm } from "node:fs/promises";
import { prettyFactory } from "pino-pretty";
import type { Settings } from "../env";
import { createLog, logFileOf, readableLines } from "../log";
import { ensureServiceAccount } from "../serviceAccount";
import { announce, readyLine } from "./announce";
import { makeFolders } from "./folders";
import { followLog } from "./followLog";
import { claimPidFile, pidFileOf } from "./pidFile";
import { Progress } from "./progress";
import { start } from "./start";
import { Supervisor } from "./supervisor";

/** Whom a supervisor talks to. */
export interface Audience {
  print(line: string): void;
  /** Called once Cumulus is ready, after the ready line was printed. */
  onReady?(): void;
  /** Whether to print what the parts log from then on. */
  showsLogs: boolean;
}

/**
 * Starts Cumulus and keeps it running until it is asked to stop (SIGINT, SIGTERM, SIGHUP); then stops console, agent and database.
 * VMs are nobody's children and keep running. Answers the exit code; rejects in a sentence when the start fails.
 */
export async function supervise(settings: Settings, audience: Audience): Promise<number> {
  const print = audience.print;
  // What is made from here on is its owner's alone, unless it says otherwise.
  process.umask(0o077);
  const account = await ensureServiceAccount();
  await makeFolders(settings, account);
  const pidFile = pidFileOf("up", settings);
  const other = await claimPidFile(pidFile);
  if (other) {
    await announce(settings, other, print);
    return 0;
  }
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  const stopped = once(stopping.signal, "abort");
  const log = createLog("up", settings, false);
  const supervisor = new Supervisor(log);
  const unfollow: (() => void)[] = [];
  try {
    log.info({ port: settings.port, dataDir: settings.dataDir }, "Cumulus starts");
    const context = { settings, account, supervisor, progress: new Progress(print), log, signal: stopping.signal };
    await Promise.race([start(context), stopped]);
    if (!stopping.signal.aborted) {
      print(await readyLine(settings));
      log.info("Cumulus is ready");
      audience.onReady?.();
      if (audience.showsLogs) unfollow.push(...(await showLogs(settings, print)));
      await stopped;
    }
    print(
      settings.stopsVms
        ? "Stopping console, VMs, agent and database; the next start brings VMs back."
        : "Stopping console, agent and database; VMs keep running.",
    );
    return 0;
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    log.fatal({ err: error }, "Cumulus could not start");
    throw error;
  } finally {
    stopping.abort();
    await supervisor.stop();
    for (const stop of unfollow) stop();
    await rm(pidFile, { force: true });
    log.info("Cumulus is stopped");
  }
}

function showLogs(settings: Settings, print: (line: string) => void): Promise<(() => void)[]> {
  const prettify = prettyFactory(readableLines);
  const show = (line: string) => print(prettify(line).trimEnd());
  return Promise.all(["up", "agent", "console"].map((name) => followLog(logFileOf(name, settings), show)));
}
