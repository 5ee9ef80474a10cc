import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile, rm, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { CumulusError } from "../domain/errors";
import type { Settings } from "../env";
import { logFileOf } from "../log";
import type { ServiceAccount } from "../serviceAccount";
import { endProcess } from "./endProcess";
import { makeLogFiles } from "./folders";
import { lastWords } from "./lastWords";
import { type Part, pidFileOf, readPidFile, writePidFile } from "./pidFile";
import type { Service } from "./supervisor";

export interface ChildOptions {
  part: Part;
  settings: Settings;
  command: [file: string, ...args: string[]];
  /** Working folder, as the program sees it. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Who it runs as, if not as this process. */
  account: ServiceAccount | undefined;
  /** Whether it does its work. */
  isReady(): Promise<boolean>;
  readyTimeoutMs: number;
}

const stopTimeoutMs = 10_000;

/**
 * One process of Cumulus. It lives in a session of its own and writes to its log file, not to a pipe: so it outlives a supervisor
 * that was killed, and its pid file tells the next supervisor, which replaces it.
 */
export class ChildService implements Service {
  readonly name: string;
  private readonly options: ChildOptions;
  private end: Promise<string> = Promise.resolve("not started");

  constructor(options: ChildOptions) {
    this.name = options.part;
    this.options = options;
  }

  async start(): Promise<void> {
    const { part, settings, account } = this.options;
    await endLeftover(part, settings);
    await makeLogFiles(part, settings, account);
    const logPath = logFileOf(part, settings);
    const logStart = (await stat(logPath)).size;
    const child = await this.spawn(logPath);
    let hasEnded = false;
    this.end = once(child, "exit").then(([code, signal]) => {
      hasEnded = true;
      return signal ? `signal ${signal}` : `exit code ${code}`;
    });
    const deadline = Date.now() + this.options.readyTimeoutMs;
    while (!(await this.options.isReady())) {
      if (hasEnded) throw await this.failure(logPath, logStart, `ended at its start (${await this.end})`);
      if (Date.now() > deadline) {
        const seconds = this.options.readyTimeoutMs / 1000;
        const failure = await this.failure(logPath, logStart, `did not answer within ${seconds} s`);
        await this.stop();
        throw failure;
      }
      await delay(50);
    }
  }

  ended(): Promise<string> {
    return this.end;
  }

  async stop(): Promise<void> {
    await endLeftover(this.options.part, this.options.settings);
  }

  private async spawn(logPath: string): Promise<ChildProcess> {
    const { command, cwd, env, part, settings } = this.options;
    const [file, ...args] = command;
    const log = await open(logPath, "a");
    try {
      const child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", log.fd, log.fd] });
      await once(child, "spawn");
      if (child.pid !== undefined) await writePidFile(pidFileOf(part, settings), child.pid);
      return child;
    } finally {
      await log.close();
    }
  }

  private async failure(logPath: string, logStart: number, what: string): Promise<CumulusError> {
    const said = lastWords((await readFile(logPath)).subarray(logStart).toString());
    return new CumulusError("unavailable", `The ${this.name} ${what}${said ? `: ${said}` : ""} (${logPath})`);
  }
}

/** Ends the process that a pid file names, if it still runs: one that an earlier supervisor left, or our own. */
export async function endLeftover(part: Part, settings: Pick<Settings, "runDir">): Promise<boolean> {
  const path = pidFileOf(part, settings);
  const running = await readPidFile(path);
  if (running) await endProcess(running, stopTimeoutMs);
  await rm(path, { force: true });
  return running !== undefined;
}
