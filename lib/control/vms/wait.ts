import { CumulusError } from "../../domain/errors";
import type { Vm } from "../../domain/vm";
import { type ChangeFeed, waitForChange } from "../changeFeed";
import type { Context } from "../context";
import { getVm } from "./view";

/** The longest that a request is held. */
const waitDeadlineMs = 10 * 60_000;

/**
 * Holds until a VM is ready: its SSH banner was read, or its guest agent has answered.
 * @throws `conflict` with the reason when it failed, `unavailable` after ten minutes; the VM is there in either case
 */
export async function waitUntilReady(
  context: Context,
  changes: ChangeFeed,
  id: number,
  signal: AbortSignal,
): Promise<Vm> {
  let vm = await getVm(context, id);
  const isDecided = async () => {
    vm = await getVm(context, id);
    return vm.isReady || vm.status === "failed" || vm.desired !== "running";
  };
  const matters = (change: { kind: string; id: number }) => change.kind === "vm" && change.id === id;
  const inTime = await waitForChange(changes, matters, isDecided, { deadlineMs: waitDeadlineMs, signal });
  if (vm.isReady) return vm;
  if (inTime) {
    const reason = vm.statusReason ?? `it is ${vm.status}`;
    throw new CumulusError("conflict", `VM ${vm.name} (id ${id}) was made but did not become ready: ${reason}`);
  }
  throw new CumulusError("unavailable", `VM ${vm.name} (id ${id}) was made but is not ready yet.`, {
    retryAfterSeconds: 5,
  });
}
