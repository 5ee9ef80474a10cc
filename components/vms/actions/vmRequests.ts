import { ApiProblem, apiRequest } from "../../../lib/api/client";
import type { Operation } from "../../../lib/domain/operation";
import type { PowerAct } from "./vmActs";

/** Asks for an act; the answer comes when it is written down, not when it is done. */
export function requestAct(vmId: number, act: PowerAct): Promise<Operation> {
  return apiRequest("POST", `/api/vms/${vmId}/${act}`);
}

/** Asks for a VM to be destroyed, alone or with its snapshots. One that is gone already is as it was to be. */
export async function requestDestroy(vmId: number, withSnapshots: boolean): Promise<void> {
  await apiRequest("DELETE", `/api/vms/${vmId}${withSnapshots ? "?snapshots=delete" : ""}`).catch((error: unknown) => {
    if (!(error instanceof ApiProblem && error.status === 404)) throw error;
  });
}
