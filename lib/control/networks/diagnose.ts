import { CumulusError } from "../../domain/errors";
import type { ReachabilityCheck } from "../../domain/hostNetwork";
import type { Diagnose } from "../../domain/vmNetworking";
import type { Context } from "../context";
import { getVmRecord } from "../vms/view";

/**
 * Why a TCP port of a VM can't be reached from the host, at the address of one of its interfaces: what was checked, in order, up to the first failure.
 * @throws `not_found`, `bad_request` for an interface that the VM hasn't, `unavailable` when the host doesn't answer
 */
export async function diagnoseVm(
  context: Context,
  vmId: number,
  { port, interface: id }: Diagnose,
): Promise<{ checks: ReachabilityCheck[] }> {
  const { vm, furtherLinks } = await getVmRecord(context.db, vmId);
  const ids = ["net0", ...furtherLinks.map(({ link }) => link.interfaceId)];
  if (!ids.includes(id)) {
    const message = `This VM has no interface ${id}. It has ${ids.join(", ")}.`;
    throw new CumulusError("bad_request", message, { fields: { interface: message } });
  }
  try {
    return { checks: await context.agent.diagnose(vmId, id, port) };
  } catch (error) {
    const isUnknown = error instanceof CumulusError && error.code === "not_found";
    if (!isUnknown) throw error;
    const message = "The VM doesn't run: the host has not made it.";
    const fix = vm.lastError ?? "Wait a moment while it is made.";
    return { checks: [{ name: "running", outcome: "failed", message, fix }] };
  }
}
