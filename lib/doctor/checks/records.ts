import { join } from "node:path";
import type { Disagreement, Snapshot } from "../snapshot";
import { nameOfId } from "./words";

const check = "records";

/** What is written down of a process is true of it: a pid file that names somebody else's would have that ended in place of ours. */
export function checkRecords(snapshot: Snapshot): Disagreement[] {
  return [...foreignQemu(snapshot), ...foreignParts(snapshot)];
}

function foreignQemu(snapshot: Snapshot): Disagreement[] {
  const { machines, processes, paths } = snapshot;
  if (processes === null) return [];
  return machines.flatMap(({ id, recordedProcess }) => {
    if (recordedProcess === null) return [];
    const isIts = processes.some(({ pid, vmId }) => pid === recordedProcess.pid && vmId === id);
    if (isIts) return [];
    const { pid, program } = recordedProcess;
    const path = join(paths.machines, String(id), "state.json");
    return [
      {
        check,
        subject: path,
        message: `${path} says that process ${pid} is the QEMU of ${nameOfId(snapshot, id)}, and it is ${program}: restart the agent, which looks for itself.`,
      },
    ];
  });
}

function foreignParts({ pidFiles }: Snapshot): Disagreement[] {
  return pidFiles
    .filter(({ process }) => !/^node/.test(process.program))
    .map(({ path, process: { pid, program } }) => ({
      check,
      subject: path,
      message: `${path} names process ${pid}, which is ${program} and no part of Cumulus: remove the file.`,
    }));
}
