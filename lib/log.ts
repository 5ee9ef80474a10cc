import { copyFileSync, mkdirSync, openSync, statSync, truncateSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import pino, { type DestinationStream, type Logger, type StreamEntry } from "pino";
import pretty, { type PrettyOptions } from "pino-pretty";
import { pathsOf, type Settings } from "./env";

export type Log = Logger;

/** One file and the one before it: twice this much per process at most. */
const maxLogBytes = 10 * 1024 ** 2;

export function logFileOf(name: string, settings: Pick<Settings, "dataDir" | "runDir">): string {
  return join(pathsOf(settings).logs, `${name}.log`);
}

/**
 * The log of one process: JSON lines in `logs/<name>.log`, and readable ones on stdout where somebody looks (a
 * terminal, or LOG_PRETTY=1).
 * Lines are on disk when the call returns, so that the last words before a crash are there.
 */
export function createLog(
  name: string,
  settings: Pick<Settings, "dataDir" | "runDir">,
  isReadable: boolean = process.stdout.isTTY || process.env.LOG_PRETTY === "1",
): Log {
  const streams: StreamEntry[] = [{ stream: cappedFile(logFileOf(name, settings), maxLogBytes) }];
  if (isReadable) streams.push({ stream: pretty({ ...readableLines, sync: true }) });
  const options = {
    name,
    level: process.env.LOG_LEVEL ?? "info",
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ["password", "token", "authorization", "cookie", "*.password", "*.token", "*.authorization", "*.cookie"],
  };
  return pino(options, pino.multistream(streams));
}

/** How a JSON line reads on a terminal: `[12:34:56] INFO: console: message {"vmId":7}`. */
export const readableLines: PrettyOptions = {
  colorize: process.stdout.isTTY ?? false,
  translateTime: "SYS:HH:MM:ss",
  ignore: "pid,hostname,name",
  singleLine: true,
  messageFormat: "{name}: {msg}",
};

/** Appends to a file that never grows far above `maxBytes`; what came before is kept in `<path>.1`. */
export function cappedFile(path: string, maxBytes: number): DestinationStream {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, "a", 0o600);
  let lostLines = 0;
  return {
    write(line) {
      try {
        rotateLog(path, maxBytes - line.length);
        if (lostLines > 0)
          writeSync(file, `${JSON.stringify({ level: 40, time: new Date(), msg: `${lostLines} lines lost` })}\n`);
        lostLines = 0;
        writeSync(file, line);
      } catch {
        // A full disk must not end the process whose log this is; the gap is told when writing works again.
        lostLines += 1;
      }
    },
  };
}

/**
 * Moves what a log file holds to `<path>.1` when it is above `maxBytes`. By copying, so that other processes which append to the
 * file (a crashing child's stderr) keep writing to the right one, and the folder itself need not be writable.
 */
export function rotateLog(path: string, maxBytes: number = maxLogBytes): void {
  if (statSync(path).size <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}
