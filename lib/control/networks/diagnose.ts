import { CumulusError } from "../../domain/errors";
import type { ReachabilityCheck } from "../../domain/hostNetwork";
import type { Context } from "../context";
import { getVmRecord } from "../vms/view";

/**
 * Why a TCP port of a VM can't be reached from the host: what was checked, in order, up to the first failure.
 * @throws `not_found`, `unavailable` when the host doesn't answer
 */
export async function diagnoseVm(
  context: Context,
  vmId: number,
  port: number,
): Promise<{ checks: ReachabilityCheck[] }> {
  const { vm } = await getVmRecord(context.db, vmId);
  try {
    return { checks: await context.agent.diagnose(vmId, "net0", port) };
  } catch (error) {
    const isUnknown = error instanceof CumulusError && error.code === "not_found";
    if (!isUnknown) throw error;
    const message = "The VM doesn't run: the host has not made it.";
    const fix = vm.lastError ?? "Wait a moment while it is made.";
    return { checks: [{ name: "running", outcome: "failed", message, fix }] };
  }
}
