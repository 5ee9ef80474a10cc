import { z } from "zod";
import { needsSetup } from "../../auth/account";
import { getHost } from "../../control/hosts";
import { getOperation, listOperations } from "../../control/operations";
import { CumulusError } from "../../domain/errors";
import { operationSchema } from "../../domain/operation";
import { cumulusVersion } from "../../version";
import { endpoint } from "../endpoint";
import { eventStream } from "../eventStream";
import { asList, idParams, idSchema, listOf } from "../shapes";

export const listOperationsEndpoint = endpoint({
  method: "GET",
  path: "/api/operations",
  tag: "Activity",
  summary: "List operations",
  description: "Newest first, at most 500; `vm` keeps those of one VM.",
  query: z.object({ vm: idSchema.optional() }),
  response: listOf(operationSchema),
  handle: async ({ context, query }) => asList(await listOperations(context, { vmId: query.vm })),
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
