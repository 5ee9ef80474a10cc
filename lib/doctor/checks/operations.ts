import type { Disagreement, Snapshot } from "../snapshot";
import { nameOfId } from "./words";

const check = "operations";

/** The longest that anything takes which isn't waiting for a host that is away. */
const deadlineMs = 5 * 60_000;

/** Nothing that was asked for stays open for ever, or for a VM that is gone. */
export function checkOperations(snapshot: Snapshot): Disagreement[] {
  return snapshot.openOperations.flatMap(({ id, kind, vmId, isVmDeleted, dueFromMs }) => {
    const what = `Operation ${id} (${kind}${vmId === null ? "" : ` of ${nameOfId(snapshot, vmId)}`})`;
    if (isVmDeleted) {
      return [{ check, subject: `${id}`, message: `${what} is open though its VM is deleted: restart the console.` }];
    }
    if (dueFromMs === null || snapshot.isHostAway || snapshot.takenAtMs - dueFromMs <= deadlineMs) return [];
    const minutes = Math.floor((snapshot.takenAtMs - dueFromMs) / 60_000);
    const message = `${what} has been open for ${minutes} minutes though its host answers: restart the console, and ask for it again if that doesn't end it.`;
    return [{ check, subject: `${id}`, message }];
  });
}
