import { dirname } from "node:path";
import type { Disagreement, ProcessFact, Snapshot } from "../snapshot";
import { nameOfId } from "./words";

const check = "sockets";

/** Every QEMU holds the sockets that it was started with, and listens on the network for its forwards alone, that to its SSH among them. */
export function checkSockets(snapshot: Snapshot): Disagreement[] {
  return (snapshot.processes ?? []).flatMap((process) => [
    ...checkUnix(snapshot, process),
    ...checkTcp(snapshot, process),
  ]);
}

function checkUnix({ files, paths }: Snapshot, { pid, sockets, listeners }: ProcessFact): Disagreement[] {
  const ours = sockets.filter((path) => dirname(dirname(path)) === paths.machineSockets);
  const lost = ours.filter((path) => files.get(path)?.kind !== "socket" || listeners?.unix.includes(path) === false);
  return lost.map((path) => ({
    check,
    subject: `${pid} ${path}`,
    message: `QEMU process ${pid} can't be reached by its socket ${path}, which was removed or replaced: stop the VM and start it again.`,
  }));
}

function checkTcp(snapshot: Snapshot, { pid, vmId, listeners }: ProcessFact): Disagreement[] {
  const vm = snapshot.vms.find(({ id }) => id === vmId);
  if (listeners === null || vmId === null || !vm) return [];
  // A VM that was started on a bridge is reached by its address, and its QEMU forwards nothing.
  const isBridged = snapshot.machines.some(({ id, startedWithPort }) => id === vmId && startedWithPort === null);
  const ssh = `127.0.0.1:${vm.sshHostPort}`;
  const forwards = vm.forwardedPorts.map((port) => `127.0.0.1:${port}`);
  const allowed = isBridged ? [] : [ssh, ...forwards];
  const name = nameOfId(snapshot, vmId);
  const foreign = listeners.tcp.filter((listener) => !allowed.includes(listener));
  const missing = vm.isUnderWay ? [] : allowed.filter((listener) => !listeners.tcp.includes(listener));
  return [
    ...foreign.map((listener) => ({
      check,
      subject: `${pid} ${listener}`,
      message: `QEMU process ${pid} of ${name} listens on ${listener}, and may on ${allowed.join(", ") || "no port"} only: stop the VM and start it again.`,
    })),
    ...missing.map((listener) => ({
      check,
      subject: `${pid} forward ${listener}`,
      message: `QEMU process ${pid} of ${name} does not listen on ${listener}, ${
        listener === ssh
          ? "where its SSH is said to be: stop the VM and start it again."
          : "which is to lead to it: the Host page says why, most likely because another program has the port."
      }`,
    })),
  ];
}
