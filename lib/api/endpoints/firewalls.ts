import {
  createFirewall,
  deleteFirewall,
  getFirewall,
  listFirewalls,
  updateFirewall,
} from "../../control/networks/firewalls";
import { firewallPresetSchema, firewallPresets, firewallSchema, writeFirewallSchema } from "../../domain/firewall";
import { endpoint } from "../endpoint";
import { ifMatchOf } from "../ifMatch";
import { asList, idParams, listOf } from "../shapes";

const tag = "Firewalls";

export const listFirewallsEndpoint = endpoint({
  method: "GET",
  path: "/api/firewalls",
  tag,
  summary: "List firewalls",
  response: listOf(firewallSchema),
  handle: async ({ context }) => asList(await listFirewalls(context)),
});

export const listFirewallPresetsEndpoint = endpoint({
  method: "GET",
  path: "/api/firewall-presets",
  tag,
  summary: "List rules to begin with",
  description: "Each fits `POST /api/firewalls` as it is.",
  response: listOf(firewallPresetSchema),
  handle: async () => asList([...firewallPresets]),
});

export const createFirewallEndpoint = endpoint({
  method: "POST",
  path: "/api/firewalls",
  tag,
  summary: "Create a firewall",
  description:
    "A named set of rules, which takes effect for the VMs that it is given to. A VM with firewalls lets in what fits an ingress rule of one of them, and " +
    "nothing else: without rules, nothing. It lets everything out, until one of them has an egress rule: then what fits such a rule, and nothing else. What " +
    "answers something that was let through passes too, and so do DHCP and DNS to the network's own resolver.",
  body: writeFirewallSchema,
  response: firewallSchema,
  status: 201,
  handle: ({ context, body }) => createFirewall(context, body),
});

export const getFirewallEndpoint = endpoint({
  method: "GET",
  path: "/api/firewalls/{id}",
  tag,
  summary: "Get a firewall",
  params: idParams,
  response: firewallSchema,
  handle: ({ context, params }) => getFirewall(context, params.id),
});

export const updateFirewallEndpoint = endpoint({
  method: "PUT",
  path: "/api/firewalls/{id}",
  tag,
  summary: "Rewrite a firewall",
  description:
    "Its VMs feel it at once; connections that the new rules don't let through are cut. With the header " +
    "`If-Match` and the `version` that you read, it is refused (412) when somebody else has rewritten it since.",
  params: idParams,
  body: writeFirewallSchema,
  response: firewallSchema,
  handle: ({ context, params, body, request }) => updateFirewall(context, params.id, body, ifMatchOf(request)),
});

export const deleteFirewallEndpoint = endpoint({
  method: "DELETE",
  path: "/api/firewalls/{id}",
  tag,
  summary: "Delete a firewall",
  description: "Refused while VMs have it or rules of others name it.",
  params: idParams,
  handle: ({ context, params }) => deleteFirewall(context, params.id),
});
