import type { Observed } from "../../domain/vmStatus";
import { staleAfterMs } from "../../domain/vmStatus";
import type { Disagreement, Snapshot, VmFact } from "../snapshot";
import { nameOf, processesOf } from "./words";

const check = "observations";

/** What the database says was seen of a VM is what is there to be seen, and was seen lately. */
export function checkObservations(snapshot: Snapshot): Disagreement[] {
  const isStale = (vm: VmFact) => snapshot.takenAtMs - (vm.observedAtMs ?? vm.createdAtMs) > staleAfterMs;
  const stale = snapshot.vms.filter(isStale);
  const fresh = snapshot.vms.filter((vm) => !isStale(vm) && !vm.isUnderWay);
  return [
    ...(stale.length > 0 ? [nobodyLooks(snapshot, stale)] : []),
    ...(snapshot.processes === null ? [] : fresh.flatMap((vm) => compare(snapshot, vm))),
  ];
}

function nobodyLooks({ takenAtMs }: Snapshot, stale: VmFact[]): Disagreement {
  const oldestMs = Math.min(...stale.map((vm) => vm.observedAtMs ?? vm.createdAtMs));
  const seconds = Math.round((takenAtMs - oldestMs) / 1000);
  const which = stale.length === 1 ? stale.map(nameOf).join() : `${stale.length} VMs`;
  return {
    check,
    subject: "stale",
    message: `Nobody has looked after ${which} for ${seconds} s: the console or the agent does not run; start them with npm run up.`,
  };
}

function compare(snapshot: Snapshot, vm: VmFact): Disagreement[] {
  const [process] = processesOf(snapshot, vm);
  const real = !process ? "no QEMU runs" : process.qmp.answers ? `QEMU is "${process.qmp.status}"` : "QEMU is silent";
  const possible: Observed[] = !process
    ? ["absent", "stopped", "crashed"]
    : process.qmp.answers
      ? observedFor(process.qmp.status)
      : ["unresponsive"];
  if (possible.includes(vm.observed)) return [];
  return [
    {
      check,
      subject: `${vm.id}`,
      message: `${nameOf(vm)} is said to be ${vm.observed} and ${real}: restart the agent with npm run down and npm run up, which stops no VM.`,
    },
  ];
}

/** What a run state of QEMU's (RunState in qapi/run-state.json) is to be told as. A guest that is off or broken is to be ended, not told. */
function observedFor(status: string): Observed[] {
  if (status === "running") return ["running"];
  if (["shutdown", "internal-error", "guest-panicked", "prelaunch"].includes(status)) return [];
  return ["paused"];
}
