import { CumulusError } from "../../domain/errors";
import { type ChangeFeed, waitForChange } from "../changeFeed";
import type { Context } from "../context";
import { getVm } from "../vms/view";

const deadlineMs = 5 * 60_000;

/**
 * Holds until a VM is seen as wanted: running, off, or gone. @param signal of who asks; by default nobody gives up
 * @throws `conflict` with the reason when it fails, `unavailable` after five minutes
 */
export async function waitForPower(
  context: Context,
  changes: ChangeFeed,
  id: number,
  wanted: "running" | "stopped" | "gone",
  signal = new AbortController().signal,
): Promise<void> {
  let failure: string | null = null;
  const isDecided = async () => {
    const vm = await getVm(context, id).catch((error: unknown) => {
      if (error instanceof CumulusError && error.code === "not_found") return null;
      throw error;
    });
    if (vm === null) return true;
    failure = vm.status === "failed" ? (vm.statusReason ?? "it failed without a reason") : null;
    return vm.status === wanted || failure !== null;
  };
  const matters = (change: { kind: string; id: number }) => change.kind === "vm" && change.id === id;
  const inTime = await waitForChange(changes, matters, isDecided, { deadlineMs, signal });
  if (failure !== null) throw new CumulusError("conflict", failure);
  if (!inTime) throw new CumulusError("unavailable", `VM ${id} is not ${wanted} yet: it goes on.`);
}
