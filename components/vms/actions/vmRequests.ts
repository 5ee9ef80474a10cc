import { apiRequest } from "../../../lib/api/client";
import type { Operation } from "../../../lib/domain/operation";
import type { PowerAct } from "./vmActs";

/** Asks for an act; the answer comes when it is written down, not when it is done. */
export function requestAct(vmId: number, act: PowerAct): Promise<Operation> {
  return apiRequest("POST", `/api/vms/${vmId}/${act}`);
}

export function requestDestroy(vmId: number): Promise<Operation> {
  return apiRequest("DELETE", `/api/vms/${vmId}`);
}
