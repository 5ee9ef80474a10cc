import { apiRequest } from "../../lib/api/client";
import type { Operation } from "../../lib/domain/operation";
import type { RestoreSnapshot, Snapshot, TakeSnapshot, UpdateSnapshot } from "../../lib/domain/snapshot";
import type { CreateVm, Vm } from "../../lib/domain/vm";
import type { ExportFormat } from "../../lib/domain/vmArchive";

/** Asks for a snapshot; the answer comes when that is written down, not when it is done. So with the others. */
export function requestTake(vmId: number, body: TakeSnapshot, idempotencyKey: string): Promise<Operation> {
  const headers = { "idempotency-key": idempotencyKey };
  return apiRequest("POST", `/api/vms/${vmId}/snapshots`, body, { headers });
}

export function requestRestore(id: number, body: RestoreSnapshot): Promise<Operation> {
  return apiRequest("POST", `/api/snapshots/${id}/restore`, body);
}

export function requestUpdate(id: number, body: UpdateSnapshot): Promise<Snapshot> {
  return apiRequest("PATCH", `/api/snapshots/${id}`, body);
}

export function requestDelete(id: number): Promise<Operation> {
  return apiRequest("DELETE", `/api/snapshots/${id}`);
}

export function requestCancel(operationId: number): Promise<Operation> {
  return apiRequest("POST", `/api/operations/${operationId}/cancel`);
}

/** A new VM from a snapshot. */
export function requestVm(body: Pick<CreateVm, "name" | "snapshot" | "sshKeys">, key: string): Promise<Vm> {
  return apiRequest("POST", "/api/vms", body, { headers: { "idempotency-key": key } });
}

/** A clone of a VM: the operation is the new VM's. */
export function requestClone(vmId: number, name: string, idempotencyKey: string): Promise<Operation> {
  const headers = { "idempotency-key": idempotencyKey };
  return apiRequest("POST", `/api/vms/${vmId}/clone`, { name }, { headers });
}

/** A VM, now or as a snapshot has it, as one file. @param path "/api/vms/1", "/api/snapshots/2" */
export function requestExport(path: string, format: ExportFormat): Promise<Operation> {
  return apiRequest("POST", `${path}/export`, { format });
}
