import { z } from "zod";
import { needsSetup } from "../../auth/account";
import { getHost } from "../../control/hosts";
import { getOperation, listOperations } from "../../control/operations";
import { cancelOperation } from "../../control/tasks/request";
import { CumulusError } from "../../domain/errors";
import { operationSchema } from "../../domain/operation";
import { exportFormatSchema, exportSuffixes } from "../../domain/vmArchive";
import { cumulusVersion } from "../../version";
import { endpoint } from "../endpoint";
import { eventStream } from "../eventStream";
import { fileResponse } from "../fileResponse";
import { idParams, idSchema, pageOf } from "../shapes";

export const listOperationsEndpoint = endpoint({
  method: "GET",
  path: "/api/operations",
  tag: "Activity",
  summary: "List operations",
  description:
    "Newest first, 500 unless `limit` says fewer; `vm` keeps those of one VM. Older ones: the same with the answer's `nextCursor` as `cursor`, until that is null.",
  query: z.strictObject({
    vm: idSchema.optional(),
    limit: z.coerce.number().int().min(1).max(500).default(500),
    cursor: idSchema.optional(),
  }),
  response: pageOf(operationSchema),
  handle: ({ context, query: { vm, limit, cursor } }) => listOperations(context, { vmId: vm, limit, before: cursor }),
});

export const getOperationEndpoint = endpoint({
  method: "GET",
  path: "/api/operations/{id}",
  tag: "Activity",
  summary: "Get an operation",
  params: idParams,
  response: operationSchema,
  handle: ({ context, params }) => getOperation(context, params.id),
});

export const cancelOperationEndpoint = endpoint({
  method: "POST",
  path: "/api/operations/{id}/cancel",
  tag: "Activity",
  summary: "Cancel an operation",
  description: "Of long work of a host (`isTask`): it is `cancelled` when the host has cleaned up after it.",
  params: idParams,
  body: z.strictObject({}),
  response: operationSchema,
  status: 202,
  handle: ({ context, params }) => cancelOperation(context, params.id),
});

export const operationLogEndpoint = endpoint({
  method: "GET",
  path: "/api/operations/{id}/log",
  tag: "Activity",
  summary: "Read an operation's log",
  description: "What long work of a host said, from a byte on. The newest 200 are kept.",
  params: idParams,
  query: z.strictObject({ offset: z.coerce.number().int().nonnegative().default(0) }),
  response: z.object({ text: z.string(), nextOffset: z.number().int() }),
  handle: async ({ context, params, query }) => {
    const { isTask } = await getOperation(context, params.id);
    if (!isTask) throw new CumulusError("not_found", `Operation ${params.id} keeps no log.`);
    return context.agent.readTaskLog(params.id, query.offset);
  },
});

export const operationFileEndpoint = endpoint({
  method: "GET",
  path: "/api/operations/{id}/file",
  tag: "Activity",
  summary: "Fetch an export's file",
  description:
    "A qcow2 image, or the archive of a VM, for a day after the export. Takes `Range` of one piece, so that a download can go on.",
  params: idParams,
  response: "application/octet-stream",
  handle: async ({ context, params, request }) => {
    const { id, kind, vm, subject, result } = await getOperation(context, params.id);
    if (kind !== "export") throw new CumulusError("not_found", `Operation ${id} made no file.`);
    const file = await context.agent.openTaskFile(id, request.headers.get("range"));
    const format = exportFormatSchema.catch("qcow2").parse(result?.format);
    const name = vm?.name === subject ? subject : `${vm?.name}-${subject}`;
    return fileResponse(file, `${name}.${exportSuffixes[format]}`);
  },
});

export const eventsEndpoint = endpoint({
  method: "GET",
  path: "/api/events",
  tag: "Activity",
  summary: "Follow changes",
  description: "Server-sent events. Each `change` names the kind and id of what changed; read it anew.",
  response: "text/event-stream",
  handle: async ({ services, request }) => eventStream(services, request),
});

export const healthEndpoint = endpoint({
  method: "GET",
  path: "/api/health",
  tag: "Hosts",
  access: "open",
  summary: "Whether all parts answer",
  description: "503 when the database or the agent is away.",
  response: z.object({ status: z.literal("ok"), version: z.string(), needsSetup: z.boolean() }),
  handle: async ({ context }) => {
    const host = await getHost(context);
    if (!host.isReachable) {
      throw new CumulusError("unavailable", "The agent doesn't answer. VMs go on running.", { retryAfterSeconds: 2 });
    }
    return { status: "ok" as const, version: cumulusVersion, needsSetup: await needsSetup(context.db) };
  },
});
