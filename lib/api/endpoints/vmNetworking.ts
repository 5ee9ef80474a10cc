import { z } from "zod";
import { diagnoseVm } from "../../control/networks/diagnose";
import { setVmFirewalls } from "../../control/networks/firewalls";
import { addForward, removeForward } from "../../control/networks/forwards";
import { limitInterface, plugInterface, unplugInterface } from "../../control/networks/interfaces";
import { watchTraffic } from "../../control/networks/traffic";
import { getVmNetworking } from "../../control/networks/view";
import { getVm } from "../../control/vms/view";
import { networkRemovalSchema } from "../../domain/network";
import { operationSchema } from "../../domain/operation";
import { addedForwardSchema, createForwardSchema } from "../../domain/portForward";
import {
  bandwidthSchema,
  diagnoseSchema,
  diagnosisSchema,
  plugInterfaceSchema,
  vmFirewallsSchema,
  vmNetworkingSchema,
} from "../../domain/vmNetworking";
import { endpoint } from "../endpoint";
import { serverSentEvents } from "../serverSentEvents";
import { idParams, idSchema } from "../shapes";

const tag = "Networks";
const interfaceParams = z.object({ id: idSchema, iid: z.string().regex(/^net\d$/) });

export const getVmNetworkingEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/networking",
  tag,
  summary: "Get a VM's networking",
  description: "Its interfaces with what the host sees of them now, its forwards, its firewalls.",
  params: idParams,
  response: vmNetworkingSchema,
  handle: ({ context, params }) => getVmNetworking(context, params.id),
});

export const watchTrafficEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/traffic",
  tag,
  summary: "Watch a VM's traffic",
  description:
    "Server-sent events, one a second, for as long as the request is open: `traffic`, with what each interface has carried and its rates (VmTraffic).",
  params: idParams,
  response: "text/event-stream",
  handle: async ({ context, services, params, request }) => {
    await getVm(context, params.id);
    return serverSentEvents(services, request, (send) =>
      watchTraffic(context, params.id, (traffic) => send("traffic", traffic)),
    );
  },
});

export const setVmFirewallsEndpoint = endpoint({
  method: "PUT",
  path: "/api/vms/{id}/firewalls",
  tag,
  summary: "Choose a VM's firewalls",
  description:
    "These, and no others, at once: `pending` says why the host has not put them into effect within a few seconds, which it does as soon as it can. A host with user-mode networks can't enforce any, and refuses.",
  params: idParams,
  body: vmFirewallsSchema,
  response: vmNetworkingSchema,
  handle: async ({ context, params, body }) => {
    await setVmFirewalls(context, params.id, body.firewalls);
    return getVmNetworking(context, params.id);
  },
});

export const addForwardEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/forwards",
  tag,
  summary: "Forward a port",
  description:
    "A port of the host then leads to one of the VM, also while it runs; until it does, `pending` says why not. With user-mode networks it is one of 127.0.0.1, of 1024 or above; QEMU then listens there itself.",
  params: idParams,
  body: createForwardSchema,
  response: addedForwardSchema,
  status: 201,
  handle: ({ context, params, body }) => addForward(context, params.id, body),
});

export const removeForwardEndpoint = endpoint({
  method: "DELETE",
  path: "/api/vms/{id}/forwards/{fid}",
  tag,
  summary: "Stop forwarding a port",
  description:
    "The port then leads to the VM no more, also while it runs. `pending` says why it still does after a few seconds; the host lets go of it as soon as it can.",
  params: z.object({ id: idSchema, fid: idSchema }),
  response: networkRemovalSchema,
  handle: ({ context, params }) => removeForward(context, params.id, params.fid),
});

export const plugInterfaceEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/interfaces",
  tag,
  summary: "Plug in an interface",
  description:
    "In one more network, also while the VM runs. Its address comes by DHCP, for which `mini` asks at once. Other guests set it up when they are stopped and started (a reboot is not enough), or asked by hand. " +
    "The operation's `result.interface` is its id.",
  params: idParams,
  body: plugInterfaceSchema,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params, body }) => plugInterface(context, actor, params.id, body),
});

export const unplugInterfaceEndpoint = endpoint({
  method: "DELETE",
  path: "/api/vms/{id}/interfaces/{iid}",
  tag,
  summary: "Unplug an interface",
  description:
    "Any but the first, also while the VM runs; not while it runs on bridges of a host that has user-mode networks by now.",
  params: interfaceParams,
  response: operationSchema,
  status: 202,
  handle: ({ context, actor, params }) => unplugInterface(context, actor, params.id, params.iid),
});

export const limitInterfaceEndpoint = endpoint({
  method: "PUT",
  path: "/api/vms/{id}/interfaces/{iid}/limit",
  tag,
  summary: "Limit an interface's bandwidth",
  description: "At once, also while the VM runs.",
  params: interfaceParams,
  body: bandwidthSchema,
  response: vmNetworkingSchema,
  handle: async ({ context, params, body }) => {
    await limitInterface(context, params.id, params.iid, body);
    return getVmNetworking(context, params.id);
  },
});

export const diagnoseVmEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/diagnose",
  tag,
  summary: "Why can't I reach it?",
  description:
    "Checks in order whether the VM runs, its interface (the first, unless another is asked for) is up, a lease and its address were seen, a firewall lets through, a way leads there, the port answers, " +
    "and for port 22 whether SSH greets; then whether the forwards to it are in effect. Ends with the first that failed, which tells what to do.",
  params: idParams,
  body: diagnoseSchema,
  response: diagnosisSchema,
  handle: async ({ context, params, body }) => diagnoseVm(context, params.id, body),
});
