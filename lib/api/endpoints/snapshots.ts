import { z } from "zod";
import { cloneVm } from "../../control/snapshots/clone";
import { exportSnapshot, exportVm } from "../../control/snapshots/export";
import { deleteSnapshot } from "../../control/snapshots/remove";
import { restoreSnapshot } from "../../control/snapshots/restore";
import { takeSnapshot } from "../../control/snapshots/take";
import { updateSnapshot } from "../../control/snapshots/update";
import { getSnapshot, getSnapshotCost, listSnapshots, listSnapshotsOfVm } from "../../control/snapshots/view";
import { operationSchema } from "../../domain/operation";
import { restoreSnapshotSchema, snapshotSchema, takeSnapshotSchema, updateSnapshotSchema } from "../../domain/snapshot";
import { snapshotCostSchema } from "../../domain/snapshotManifest";
import { cloneVmSchema } from "../../domain/vm";
import { exportSchema } from "../../domain/vmArchive";
import { endpoint } from "../endpoint";
import { idempotencyKeyOf } from "../idempotencyKey";
import { asList, idParams, idSchema, listOf } from "../shapes";

const tag = "Snapshots";
const nestedParams = z.object({ id: idSchema, sid: idSchema });

export const listSnapshotsEndpoint = endpoint({
  method: "GET",
  path: "/api/snapshots",
  tag,
  summary: "List snapshots",
  description: "Of all VMs, also of those that are destroyed; `vm` keeps those of one.",
  query: z.strictObject({ vm: idSchema.optional() }),
  response: listOf(snapshotSchema),
  handle: async ({ context, query }) => asList(await listSnapshots(context, { vmId: query.vm })),
});

export const listVmSnapshotsEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/snapshots",
  tag,
  summary: "List a VM's snapshots",
  params: idParams,
  response: listOf(snapshotSchema),
  handle: async ({ context, params }) => asList(await listSnapshotsOfVm(context, params.id)),
});

export const takeSnapshotEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/snapshots",
  tag,
  summary: "Take a snapshot",
  description:
    "Of the disk, and with `memory` of what is in memory too. The guest goes on running but for a moment, which the snapshot tells as `pauseMs`. " +
    "The operation's `result` names it when it is there. The header `Idempotency-Key` makes a repeated request answer with the same operation.",
  params: idParams,
  body: takeSnapshotSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body, request }) =>
    takeSnapshot(context, actor, params.id, body, idempotencyKeyOf(request)),
});

export const snapshotCostEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/snapshots/cost",
  tag,
  summary: "What a snapshot would cost",
  description: "Bytes of the host's disk, if it were taken now.",
  params: idParams,
  response: snapshotCostSchema,
  handle: ({ context, params }) => getSnapshotCost(context, params.id),
});

export const getSnapshotEndpoint = endpoint({
  method: "GET",
  path: "/api/snapshots/{id}",
  tag,
  summary: "Get a snapshot",
  params: idParams,
  response: snapshotSchema,
  handle: ({ context, params }) => getSnapshot(context, params.id),
});

export const updateSnapshotEndpoint = endpoint({
  method: "PATCH",
  path: "/api/snapshots/{id}",
  tag,
  summary: "Rename a snapshot, or change its note",
  params: idParams,
  body: updateSnapshotSchema,
  response: snapshotSchema,
  handle: ({ context, params, body }) => updateSnapshot(context, params.id, body),
});

export const deleteSnapshotEndpoint = endpoint({
  method: "DELETE",
  path: "/api/snapshots/{id}",
  tag,
  summary: "Delete a snapshot",
  description: "In any order: what other snapshots and VMs need of it stays.",
  params: idParams,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params }) => deleteSnapshot(context, actor, params.id),
});

const restoreDescription =
  "What the VM wrote since is gone, unless `safetySnapshot` keeps it. A VM that runs is ended and runs again. With memory it goes on where it was, unless `memory` is false; " +
  "address, MAC and name stay.";

const exportDescription =
  "`qcow2`: the disk alone, as one file. `archive`: a tar of `vm.json` (size, firmware, login user, SSH keys), `disk.qcow2`, and `uefi-variables.fd` where it boots by " +
  "UEFI, which `POST /api/vms/import` takes. The operation's `result.file` is where it can be fetched, for a day.";

export const restoreSnapshotEndpoint = endpoint({
  method: "POST",
  path: "/api/snapshots/{id}/restore",
  tag,
  summary: "Put a VM back to a snapshot",
  description: restoreDescription,
  params: idParams,
  body: restoreSnapshotSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body }) => restoreSnapshot(context, actor, params.id, body),
});

export const exportSnapshotEndpoint = endpoint({
  method: "POST",
  path: "/api/snapshots/{id}/export",
  tag,
  summary: "Export a snapshot",
  description: `As its VM was then. ${exportDescription}`,
  params: idParams,
  body: exportSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body }) => exportSnapshot(context, actor, params.id, body),
});

export const getVmSnapshotEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/snapshots/{sid}",
  tag,
  summary: "Get a VM's snapshot",
  params: nestedParams,
  response: snapshotSchema,
  handle: ({ context, params }) => getSnapshot(context, params.sid, params.id),
});

export const updateVmSnapshotEndpoint = endpoint({
  method: "PATCH",
  path: "/api/vms/{id}/snapshots/{sid}",
  tag,
  summary: "Rename a VM's snapshot, or change its note",
  params: nestedParams,
  body: updateSnapshotSchema,
  response: snapshotSchema,
  handle: async ({ context, params, body }) => {
    const { id } = await getSnapshot(context, params.sid, params.id);
    return updateSnapshot(context, id, body);
  },
});

export const deleteVmSnapshotEndpoint = endpoint({
  method: "DELETE",
  path: "/api/vms/{id}/snapshots/{sid}",
  tag,
  summary: "Delete a VM's snapshot",
  params: nestedParams,
  response: operationSchema,
  status: 202,
  handle: async ({ context, actor, params }) => {
    const { id } = await getSnapshot(context, params.sid, params.id);
    return deleteSnapshot(context, actor, id);
  },
});

export const restoreVmSnapshotEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/snapshots/{sid}/restore",
  tag,
  summary: "Put a VM back to its snapshot",
  description: restoreDescription,
  params: nestedParams,
  body: restoreSnapshotSchema,
  response: operationSchema,
  status: 202,
  handle: async ({ context, actor, params, body }) => {
    const { id } = await getSnapshot(context, params.sid, params.id);
    return restoreSnapshot(context, actor, id, body);
  },
});

export const cloneVmEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/clone",
  tag: "VMs",
  summary: "Clone a VM",
  description:
    "A new VM with a copy of the disk as it is now, the same shape, network, firewalls and SSH keys, and an identity of its own. The operation is the new VM's " +
    "(`vm.id`), and done when that runs. The header `Idempotency-Key` makes a repeated request answer with the same operation.",
  params: idParams,
  body: cloneVmSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body, request }) =>
    cloneVm(context, actor, params.id, body, idempotencyKeyOf(request)),
});

export const exportVmEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/export",
  tag: "VMs",
  summary: "Export a VM",
  description: `Of a VM that runs as it is at one instant. ${exportDescription}`,
  params: idParams,
  body: exportSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body }) => exportVm(context, actor, params.id, body),
});
