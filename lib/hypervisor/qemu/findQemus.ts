import { basename, join } from "node:path";
import { pathsOf, type Settings } from "../../env";
import {
  argumentSeparator,
  commandLineOf,
  listQemuProcesses,
  type ProcessIdentity,
  startTimeOf,
} from "../../system/platform";
import { escapeCommas } from "./argv";

/** The QEMUs of all VMs of an installation, also of those of which nothing is recorded any more. */
export async function findQemus(settings: Pick<Settings, "runDir">): Promise<ProcessIdentity[]> {
  const { machineSockets } = pathsOf({ dataDir: "", ...settings });
  const found = await Promise.all(
    (await listQemuProcesses()).map(async ({ pid }) => {
      const startTime = await startTimeOf(pid);
      // Read once more, now that it is known whose number this is.
      const commandLine = (await commandLineOf(pid)) ?? "";
      return startTime !== null && isQemuBelow(commandLine, machineSockets) ? [{ pid, startTime }] : [];
    }),
  );
  return found.flat();
}

/** Whether a command line is that of a VM's QEMU with its monitor's socket below this folder, and no other program's that names both. Pure. */
export function isQemuBelow(commandLine: string, machineSockets: string): boolean {
  const [program = ""] = commandLine.split(argumentSeparator);
  if (!basename(program).startsWith("qemu-system-")) return false;
  const monitor = `${argumentSeparator}socket,id=qmp,path=${escapeCommas(join(machineSockets, "/"))}`;
  const start = commandLine.indexOf(monitor);
  return start >= 0 && /^\d+\/qmp\.sock,/.test(commandLine.slice(start + monitor.length));
}
