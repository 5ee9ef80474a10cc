import type { Disagreement, ProcessFact, Snapshot } from "../snapshot";
import { nameOf, processesOf, uuidOf } from "./words";

const check = "processes";

/** One live QEMU for each VM that runs, and one live VM for each QEMU, by the uuid that QEMU tells. */
export function checkProcesses(snapshot: Snapshot): Disagreement[] {
  return [
    ...(snapshot.processes ?? []).flatMap((process) => checkOwner(snapshot, process)),
    ...(snapshot.processes === null ? [] : checkCounts(snapshot)),
  ];
}

function checkOwner(snapshot: Snapshot, process: ProcessFact): Disagreement[] {
  const { pid, vmId, uuid, qmp } = process;
  const tell = (subject: string, message: string) => [{ check, subject: `process ${pid} ${subject}`, message }];
  if (qmp.answers && qmp.uuid !== uuid) {
    return tell(
      "uuid",
      `Process ${pid} was started with the uuid ${uuid} and answers with ${qmp.uuid} on its sockets: another QEMU took them; end the one that isn't the VM.`,
    );
  }
  const vm = snapshot.vms.find((one) => one.uuid === uuidOf(process));
  if (!vm) {
    return tell(
      "owner",
      `QEMU process ${pid} (uuid ${uuid}) uses this installation's folders and is no VM of the database: if nobody needs it, end it with kill ${pid}.`,
    );
  }
  if (vmId === vm.id) return [];
  return tell(
    "folder",
    `QEMU process ${pid} has the uuid of ${nameOf(vm)} and the sockets of ${vmId === null ? "no VM" : `VM id ${vmId}`}: if nobody needs it, end it with kill ${pid}.`,
  );
}

function checkCounts(snapshot: Snapshot): Disagreement[] {
  return snapshot.vms.flatMap((vm) => {
    const pids = processesOf(snapshot, vm).map(({ pid }) => pid);
    const tell = (subject: string, message: string) => [{ check, subject: `${vm.id} ${subject}`, message }];
    if (pids.length > 1) {
      return tell(
        "count",
        `${nameOf(vm)} has ${pids.length} QEMU processes (${pids.join(", ")}): end all but the one that holds its disk.`,
      );
    }
    if (vm.isUnderWay || vm.lastError !== null) return [];
    if (vm.desired === "stopped" && pids.length > 0) {
      return tell("running", `${nameOf(vm)} is to be off and runs as process ${pids[0]}: stop it again.`);
    }
    const isSaidToRun = ["running", "paused", "unresponsive"].includes(vm.observed);
    if (vm.desired === "running" && isSaidToRun && pids.length === 0) {
      return tell("running", `${nameOf(vm)} is said to be ${vm.observed} and no QEMU process is its: start it again.`);
    }
    return [];
  });
}
