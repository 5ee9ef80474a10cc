import { type ChildProcess, spawn } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import { readTail } from "../../system/files";
import { asUser, type MachineUser } from "../../system/machineUsers";
import { commandLineOf, isAlive, listQemuProcesses, type ProcessIdentity, startTimeOf } from "../../system/platform";
import { inNamespace, type Namespace } from "../network/commands";
import { escapeCommas } from "./argv";

export interface ProcessEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** A QEMU process: one that this agent started, or one that it found. */
export interface QemuProcess {
  identity: ProcessIdentity;
  /** How it ended, known only of one's own child; null for an adopted one. */
  ended: Promise<ProcessEnd> | null;
}

/**
 * Starts QEMU in a session of its own, so that nothing that happens to the agent or its terminal ends it. Its words go to a file, since
 * a pipe would end with the agent. (A service manager that ends all processes of a unit must be told not to: KillMode=process.)
 *
 * @param namespace the network namespace that it runs in; its sockets and files are the host's all the same
 */
export async function spawnQemu(
  program: string,
  args: string[],
  user: MachineUser | null,
  logFile: string,
  namespace: Namespace = null,
): Promise<QemuProcess> {
  const asMachine = asUser(user, program, args);
  const command = inNamespace(namespace, asMachine.program, asMachine.args);
  // Emptied, then appended to: so it can be cut short while QEMU holds it open.
  await writeFile(logFile, "", { mode: 0o600 });
  const output = await open(logFile, "a", 0o600);
  try {
    const child = spawn(command.program, command.args, {
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
      cwd: "/",
      // Nothing of the agent's environment, which may hold secrets.
      env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH, LANG: "C.UTF-8" },
    });
    const pid = await started(child, command.program);
    child.unref();
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    });
    const startTime = await startTimeOf(pid);
    return { identity: { pid, startTime: startTime ?? "ended" }, ended };
  } finally {
    await output.close();
  }
}

function started(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(new CumulusError("unavailable", `${program} can't be run on this host: ${messageOf(error)}`));
    });
    child.once("spawn", () => resolve(child.pid ?? 0));
  });
}

/** What QEMU last said, as the end of a message; empty when it said nothing. */
export async function lastWords(logFile: string): Promise<string> {
  const lines = (await readTail(logFile, 4096)).trim().split("\n").slice(-3);
  const words = lines.map((line) => line.replace(/^\S*qemu-system-[^:]*: /, "")).join(" ");
  return words === "" ? "" : ` It said: ${words}`;
}

/**
 * Sends a signal to a VM's QEMU and to nothing else: the process must have the recorded start time and the VM's own uuid and
 * sockets on its command line. Answers whether it was sent.
 */
export async function signalQemu(
  identity: ProcessIdentity,
  marks: { uuid: string; runFolder: string },
  signal: NodeJS.Signals,
): Promise<boolean> {
  if (!(await isAlive(identity)) || !isQemuOf((await commandLineOf(identity.pid)) ?? "", marks)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

/** Whether a command line is that of the QEMU with this uuid and these sockets. */
export function isQemuOf(commandLine: string, marks: { uuid: string; runFolder: string }): boolean {
  return commandLine.includes(marks.uuid) && isUsingFolder(commandLine, marks.runFolder);
}

/** Whether a command line is that of a QEMU with its sockets in this folder. */
export function isUsingFolder(commandLine: string, runFolder: string): boolean {
  return commandLine.includes("qemu-system-") && commandLine.includes(`path=${escapeCommas(runFolder)}/`);
}

/** A folder that holds no VM that could be read may still have a QEMU, which nobody could then find. */
export async function assertNobodyRuns(runFolder: string): Promise<void> {
  const found = (await listQemuProcesses()).find(({ commandLine }) => isUsingFolder(commandLine, runFolder));
  if (found === undefined) return;
  throw new CumulusError(
    "conflict",
    `The VM's folder can't be read, and QEMU (process ${found.pid}) still runs for it. End that process, then try again.`,
  );
}
