import { z } from "zod";
import { createVm } from "../../control/vms/create";
import { destroyVm } from "../../control/vms/destroy";
import { importVm } from "../../control/vms/import";
import { changeCdrom } from "../../control/vms/media";
import { updateVm } from "../../control/vms/update";
import { getVm, listVms } from "../../control/vms/view";
import { waitUntilReady } from "../../control/vms/wait";
import { operationSchema } from "../../domain/operation";
import { changeCdromSchema, createVmSchema, updateVmSchema, vmSchema } from "../../domain/vm";
import { importVmSchema } from "../../domain/vmArchive";
import { endpoint } from "../endpoint";
import { idempotencyKeyOf } from "../idempotencyKey";
import { requestFile } from "../requestFile";
import { asList, idParams, listOf } from "../shapes";

const tag = "VMs";

export const listVmsEndpoint = endpoint({
  method: "GET",
  path: "/api/vms",
  tag,
  summary: "List VMs",
  description: "All live VMs by name. `search` keeps those whose name holds the text.",
  query: z.strictObject({ search: z.string().max(63).optional() }),
  response: listOf(vmSchema),
  handle: async ({ context, query }) => asList(await listVms(context, query)),
});

export const createVmEndpoint = endpoint({
  method: "POST",
  path: "/api/vms",
  tag,
  summary: "Create a VM",
  description:
    "Answers as soon as the intent is durable; the VM is made and started after. With `wait=ready` the answer is held until its SSH answers. " +
    "The header `Idempotency-Key` makes a repeated request answer with the same VM.",
  query: z.strictObject({ wait: z.literal("ready").optional() }),
  body: createVmSchema,
  response: vmSchema,
  status: 201,
  handle: async ({ context, services, actor, body, query, request }) => {
    const vm = await createVm(context, actor, body, idempotencyKeyOf(request));
    return query.wait === "ready" ? waitUntilReady(context, services.changes, vm.id, request.signal) : vm;
  },
});

export const importVmEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/import",
  tag,
  summary: "Import a VM",
  description:
    "The body is the archive that an export with `format: archive` makes, of any size for which the host has room twice. What it says of its VM is looked at first; answers when the host has all of it. " +
    "The operation's `result` names the VM (`vmId`), which is then being created with an identity of its own, in the network that is named, and the image of its disk (`imageId`). Where no VM can be created nothing is left.",
  query: importVmSchema,
  takesFile: true,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, query, request }) => importVm(context, actor, query, requestFile(request)),
});

export const getVmEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}",
  tag,
  summary: "Get a VM",
  params: idParams,
  response: vmSchema,
  handle: ({ context, params }) => getVm(context, params.id),
});

export const updateVmEndpoint = endpoint({
  method: "PATCH",
  path: "/api/vms/{id}",
  tag,
  summary: "Rename or resize a VM",
  description: "A name changes at any time, a size while the VM is stopped; a disk only grows.",
  params: idParams,
  body: updateVmSchema,
  response: vmSchema,
  handle: ({ context, actor, params, body }) => updateVm(context, actor, params.id, body),
});

export const destroyVmEndpoint = endpoint({
  method: "DELETE",
  path: "/api/vms/{id}",
  tag,
  summary: "Destroy a VM",
  description:
    "The VM is turned off and removed with its disk. Its snapshots stay, unless `snapshots=delete`. The operation says when it is gone.",
  params: idParams,
  query: z.strictObject({ snapshots: z.enum(["keep", "delete"]).default("keep") }),
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, query }) =>
    destroyVm(context, actor, params.id, { withSnapshots: query.snapshots === "delete" }),
});

export const changeCdromEndpoint = endpoint({
  method: "PUT",
  path: "/api/vms/{id}/cdrom",
  tag,
  summary: "Change a VM's CD-ROM",
  description:
    "Puts an ISO image into the drive, or another one, or none (`null`), also while the VM runs. `bootFrom` says what is tried first at the next boot. " +
    "What is left out stays. The operation says when it is done.",
  params: idParams,
  body: changeCdromSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body }) => changeCdrom(context, actor, params.id, body),
});
