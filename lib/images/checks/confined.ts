import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { platform } from "node:os";
import type { Readable } from "node:stream";
import { CumulusError } from "../../domain/errors";
import { isErrno } from "../../system/files";
import { asUser, detectUserScheme, type MachineUser, workUserId } from "../../system/machineUsers";
import { mortal } from "../../system/mortal";

const maxWords = 256 * 1024;

export interface Confinement {
  memoryBytes: number;
  cpuSeconds: number;
  /** The largest file that it may write. */
  fileBytes: number;
}

/** A command that can use no more than that, as the user who may do nothing else, and ends with us; unlimited where the system has no prlimit(1). */
export function confinedCommand(
  user: MachineUser | null,
  program: string,
  args: string[],
  { memoryBytes, cpuSeconds, fileBytes }: Confinement,
): { program: string; args: string[] } {
  if (platform() !== "linux") return asUser(user, program, args);
  const limits = [`--as=${memoryBytes}`, `--cpu=${cpuSeconds}`, `--fsize=${fileBytes}`, "--core=0", "--"];
  return mortal(asUser(user, "prlimit", [...limits, program, ...args]));
}

/** The user that reads files which nobody has vouched for; null where the agent has no rights that it could lose. */
export async function confinedUser(): Promise<MachineUser | null> {
  return (await detectUserScheme()).userOf(workUserId);
}

/** A file for a confined program, which can't come to its path. */
export interface LentFile {
  path: string;
  access: "read" | "write";
}

export interface ConfinedResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program that reads what nobody has vouched for: with capped memory, time and output, no rights, and of the file system only the
 * files that it is lent, as open descriptors.
 *
 * @param argsFor the arguments, given the lent files' names as the program knows them
 * @throws `unavailable` when it isn't installed; `bad_request` when it takes too much; `too_large` when it writes too much
 */
export async function runConfined(
  program: string,
  files: LentFile[],
  argsFor: (names: string[]) => string[],
  confinement: Confinement,
  signal: AbortSignal,
): Promise<ConfinedResult> {
  const user = await confinedUser();
  const handles: FileHandle[] = [];
  try {
    for (const file of files) handles.push(await lend(file, user));
    const isPathClosed = user !== null;
    const names = files.map(({ path }, index) => (isPathClosed ? `/proc/self/fd/${index + 3}` : path));
    const command = confinedCommand(user, program, argsFor(names), confinement);
    const result = await runToEnd(command, isPathClosed ? handles.map(({ fd }) => fd) : [], signal);
    if (result.isMissing) throw notInstalled(program);
    if (result.killedBy === "SIGXFSZ") {
      throw new CumulusError("too_large", "The disk holds more data than an image may: make it smaller.");
    }
    if (result.killedBy !== null) {
      throw new CumulusError(
        "bad_request",
        `This file can't be used as an image: ${program} needs more time or memory for it than for any good one.`,
        { cause: result.killedBy },
      );
    }
    return result;
  } finally {
    for (const handle of handles) await handle.close();
  }
}

/** Nothing of the agent's own environment, which may hold secrets. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH, LC_ALL: "C" };
}

export function notInstalled(program: string): CumulusError {
  return new CumulusError(
    "unavailable",
    `The program ${program} is not installed on this host: install it and try again.`,
  );
}

/** Opens a file for another user: who holds a descriptor opens the file anew by it, which asks the file's own mode and nothing of its path. */
async function lend({ path, access }: LentFile, user: MachineUser | null): Promise<FileHandle> {
  const handle = await open(path, access === "read" ? "r" : "a", 0o600);
  if (user === null) return handle;
  await handle.chown(access === "read" ? 0 : user.uid, user.imagesGid);
  await handle.chmod(access === "read" ? 0o440 : 0o600);
  return handle;
}

interface Ended extends ConfinedResult {
  killedBy: string | null;
  isMissing: boolean;
}

/** Not by execa, which passes no descriptors on. */
async function runToEnd(
  { program, args }: { program: string; args: string[] },
  descriptors: number[],
  signal: AbortSignal,
): Promise<Ended> {
  const stdio: StdioOptions = ["ignore", "pipe", "pipe", ...descriptors];
  const child = spawn(program, args, { stdio, env: toolEnvironment(), signal, killSignal: "SIGKILL" });
  try {
    const [[code, killedBy], stdout, stderr] = await Promise.all([
      once(child, "close") as Promise<[number | null, string | null]>,
      textOf(child.stdout),
      textOf(child.stderr),
    ]);
    return { exitCode: code ?? -1, killedBy, stdout, stderr, isMissing: code === 127 };
  } catch (error) {
    signal.throwIfAborted();
    if (isErrno(error, "ENOENT")) return { exitCode: 127, killedBy: null, stdout: "", stderr: "", isMissing: true };
    throw error;
  }
}

/** What a program says, as far as anybody would read it. */
async function textOf(stream: Readable | null): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) if (text.length < maxWords) text += chunk;
  return text;
}
