import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { isErrno } from "../../system/files";
import type { InstallationPaths, LivingProcess, ProcessFact } from "../snapshot";
import { readCommandLine } from "./commandLine";
import { gatherListeners } from "./listeners";
import { gatherQmp } from "./qmp";

/** All QEMU processes of this installation; null on systems without /proc. */
export async function gatherProcesses(paths: InstallationPaths): Promise<ProcessFact[] | null> {
  if (process.platform !== "linux") return null;
  const pids = (await readdir("/proc")).map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
  const found = await Promise.all(pids.map((pid) => gatherProcess(pid, paths)));
  return found.filter((fact) => fact !== null);
}

async function gatherProcess(pid: number, paths: InstallationPaths): Promise<ProcessFact | null> {
  const facts = readCommandLine(argvOf(await readProc(pid, "cmdline")), paths);
  if (facts === null) return null;
  const monitors = ["rescue.sock", "qmp.sock"].flatMap((name) =>
    facts.sockets.filter((path) => basename(path) === name),
  );
  const [listeners, qmp] = await Promise.all([gatherListeners(pid), gatherQmp(monitors)]);
  const status = await readProc(pid, "status");
  // It ended while we looked.
  if (status === null || /^State:\s+[ZX]/m.test(status)) return null;
  return {
    pid,
    // Real, effective, saved and file-system uid (proc(5)): any of root's is root.
    uid: Math.min(...(/^Uid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/).map(Number) ?? [0])),
    ...facts,
    listeners,
    qmp,
  };
}

/** The process of a pid and start time (field 22 of `/proc/PID/stat`), if it lives and can be looked at. */
export async function gatherLiving(pid: number, startTime: string): Promise<LivingProcess | null> {
  const stat = await readProc(pid, "stat");
  if (stat === null) return null;
  // "pid (comm) state …" (proc(5)): comm may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[19] !== startTime) return null;
  return { pid, program: basename(argvOf(await readProc(pid, "cmdline"))[0] ?? "") };
}

function argvOf(commandLine: string | null): string[] {
  return (commandLine ?? "").split("\0").slice(0, -1);
}

async function readProc(pid: number, name: string): Promise<string | null> {
  try {
    return await readFile(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH")) return null;
    throw error;
  }
}
