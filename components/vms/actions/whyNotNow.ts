import { type VmAction, type VmStatus, whyNot } from "../../../lib/domain/vmStatus";

const alreadySo: Partial<Record<VmAction, readonly VmStatus[]>> = {
  start: ["running", "starting", "creating"],
  stop: ["stopped"],
  shutdown: ["stopping"],
  destroy: ["deleting"],
};

/**
 * Why a button for an act is off, as a sentence; undefined when it is on. Stricter than the API: what would change nothing is refused
 * there with no error, but a button that does nothing is off.
 */
export function whyNotNow(action: VmAction, status: VmStatus): string | undefined {
  const reason = whyNot(action, status);
  if (reason) return reason;
  return alreadySo[action]?.includes(status) ? `It is ${status} already.` : undefined;
}
