import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { platform } from "node:os";
import { execa } from "execa";
import { isErrno } from "./files";

/** Processes and boots of this computer: all that differs between Linux (/proc) and macOS (ps, sysctl) in telling one from another. */

/** A process and not another one that got its number later: `startTime` is the kernel's, opaque. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** The kernel's first pid namespace always has this number (PROC_PID_INIT_INO in its include/linux/proc_ns.h). */
const firstPidNamespace = "pid:[4026531836]";

/** A name for the time since the computer was last switched on. A container's start counts as that: its end is the end of all processes in it. */
export async function hostBootId(): Promise<string> {
  if (platform() !== "linux") return (await execa("sysctl", ["-n", "kern.bootsessionuuid"])).stdout.trim();
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const isInContainer = (await readlink("/proc/self/ns/pid")) !== firstPidNamespace;
  return isInContainer ? `${bootId}-${await startTimeOf(1)}` : bootId;
}

/** When the process started, or null when there is none (or only a zombie, whose parent has yet to ask for its end). */
export async function startTimeOf(pid: number): Promise<string | null> {
  if (platform() === "linux") return startTimeFromProc(pid);
  const { stdout, exitCode } = await execa("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { reject: false });
  const match = /^\s*(\S+)\s+(.+?)\s*$/.exec(stdout);
  return exitCode === 0 && match?.[2] && !match[1]?.startsWith("Z") ? match[2] : null;
}

async function startTimeFromProc(pid: number): Promise<string | null> {
  const stat = await readProc(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // proc(5): "pid (comm) state …"; comm may hold spaces and parentheses, so count from the last one. Field 22 is starttime.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isDead = fields[0] === "Z" || fields[0] === "X";
  return isDead ? null : (fields[19] ?? null);
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(identity.pid)) === identity.startTime;
}

/** What parts the arguments of a command line in `commandLineOf`: on macOS, the arguments may hold it too. */
export const argumentSeparator = platform() === "linux" ? "\0" : " ";

/** The command line as one text, its arguments parted by `argumentSeparator`; null when there is no such process. */
export async function commandLineOf(pid: number): Promise<string | null> {
  if (platform() === "linux") return readProc(`/proc/${pid}/cmdline`);
  const { stdout, exitCode } = await execa("ps", ["-ww", "-o", "command=", "-p", String(pid)], { reject: false });
  return exitCode === 0 ? stdout : null;
}

/** All processes that run a `qemu-system-…` binary: the candidates for adoption. Those of other containers are none. */
export async function listQemuProcesses(): Promise<{ pid: number; commandLine: string }[]> {
  const found = await Promise.all(
    (await allPids()).map(async (pid) => {
      const commandLine = (await commandLineOf(pid)) ?? "";
      const isCandidate = commandLine.includes("qemu-system-") && !(await isOfOtherContainer(pid));
      return isCandidate ? [{ pid, commandLine }] : [];
    }),
  );
  return found.flat();
}

/**
 * Whether a process is another container's than ours: it has process numbers or a root folder of its own, so that the paths that it names are
 * not those that we see. Also for one that has ended.
 */
async function isOfOtherContainer(pid: number): Promise<boolean> {
  if (platform() !== "linux") return false;
  // proc(5): its number in each pid namespace, from that of /proc to its own. A kernel without such namespaces leaves the line out.
  const numbers = /^NSpid:(.*)$/m.exec((await readProc(`/proc/${pid}/status`)) ?? "")?.[1]?.trim();
  if (numbers !== undefined && numbers.split(/\s+/).length > 1) return true;
  try {
    const [theirs, ours] = await Promise.all([stat(`/proc/${pid}/root`), stat("/")]);
    return theirs.dev !== ours.dev || theirs.ino !== ours.ino;
  } catch (error) {
    // A root without the right to look into processes of other users can't tell.
    if (isErrno(error, "EACCES", "EPERM")) return false;
    if (isErrno(error, "ENOENT", "ESRCH")) return true;
    throw error;
  }
}

async function allPids(): Promise<number[]> {
  const names =
    platform() === "linux" ? await readdir("/proc") : (await execa("ps", ["-axo", "pid="])).stdout.split("\n");
  return names.map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
}

async function readProc(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH")) return null;
    throw error;
  }
}
