import { z } from "zod";
import { proposeNetwork } from "../../control/networks/freeRange";
import { createNetwork, deleteNetwork, getNetwork, listNetworks, updateNetwork } from "../../control/networks/networks";
import { freeInNetwork, listNetworkAddresses, reserveInNetwork } from "../../control/networks/reservations";
import {
  createNetworkSchema,
  networkAddressSchema,
  networkProposalSchema,
  networkRemovalSchema,
  networkSchema,
  reserveAddressSchema,
  updateNetworkSchema,
} from "../../domain/network";
import { endpoint } from "../endpoint";
import { asList, idParams, listOf } from "../shapes";

const tag = "Networks";

export const listNetworksEndpoint = endpoint({
  method: "GET",
  path: "/api/networks",
  tag,
  summary: "List networks",
  response: listOf(networkSchema),
  handle: async ({ context }) => asList(await listNetworks(context)),
});

export const createNetworkEndpoint = endpoint({
  method: "POST",
  path: "/api/networks",
  tag,
  summary: "Create a network",
  description:
    "A range of private addresses that overlaps no other network and no route of the host. VMs of different networks reach each other only where " +
    "`reaches` says so. On a host with user-mode networks each VM is alone in its network: " +
    "a routed way out, `reaches`, `dnsServers` and `ipv6` are refused there.",
  body: createNetworkSchema,
  response: networkSchema,
  status: 201,
  handle: ({ context, body }) => createNetwork(context, body),
});

export const proposeNetworkEndpoint = endpoint({
  method: "GET",
  path: "/api/network-proposal",
  tag,
  summary: "Propose a range for a new network",
  description: "One of 256 addresses that overlaps no network and no route of the host.",
  response: networkProposalSchema,
  handle: ({ context }) => proposeNetwork(context),
});

export const listForwardAddressesEndpoint = endpoint({
  method: "GET",
  path: "/api/forward-addresses",
  tag,
  summary: "List the addresses that ports can be forwarded from",
  description: "The host's IPv4 addresses; with user-mode networks its loopback's alone.",
  response: listOf(z.string()),
  handle: async ({ context }) => asList((await context.agent.networkStatus()).addresses),
});

export const getNetworkEndpoint = endpoint({
  method: "GET",
  path: "/api/networks/{id}",
  tag,
  summary: "Get a network",
  params: idParams,
  response: networkSchema,
  handle: ({ context, params }) => getNetwork(context, params.id),
});

export const updateNetworkEndpoint = endpoint({
  method: "PATCH",
  path: "/api/networks/{id}",
  tag,
  summary: "Change a network",
  description:
    "What is left out stays (a domain that was not chosen goes with the name, and a new `cidr` brings its first address as the gateway). VMs that run feel it at once. " +
    "`cidr`, `gateway` and `domain` change, and IPv6 is switched off, only while no VM is in the network, and the former two only while no address of it is reserved, " +
    "which the message names. " +
    "A `range` that leaves out an address that a VM was given from it is refused, which the message names. On a host with user-mode networks, whether there is " +
    "a way `outside` changes only while no VM in it runs.",
  params: idParams,
  body: updateNetworkSchema,
  response: networkSchema,
  handle: ({ context, params, body }) => updateNetwork(context, params.id, body),
});

export const deleteNetworkEndpoint = endpoint({
  method: "DELETE",
  path: "/api/networks/{id}",
  tag,
  summary: "Delete a network",
  description:
    "Refused while VMs are in it, which the message names. `pending` says why the host has not taken it away within a few seconds, which it does as soon as it can.",
  params: idParams,
  response: networkRemovalSchema,
  handle: ({ context, params }) => deleteNetwork(context, params.id),
});

export const listAddressesEndpoint = endpoint({
  method: "GET",
  path: "/api/networks/{id}/addresses",
  tag,
  summary: "List a network's addresses",
  description:
    "Those that are not free: the gateway's, VMs', reserved ones, and those of VMs that are gone until `freeAt`.",
  params: idParams,
  response: listOf(networkAddressSchema),
  handle: async ({ context, params }) => asList(await listNetworkAddresses(context, params.id)),
});

export const reserveAddressEndpoint = endpoint({
  method: "POST",
  path: "/api/networks/{id}/addresses",
  tag,
  summary: "Reserve an address",
  description:
    "No VM is given it until it is freed. One that is reserved with a `mac` goes to the VM, or further interface, that asks for it by `ipv4`, with that MAC; it is " +
    "reserved again when that VM is gone. 409 says who has the address or the MAC.",
  params: idParams,
  body: reserveAddressSchema,
  response: networkAddressSchema,
  status: 201,
  handle: ({ context, params, body }) => reserveInNetwork(context, params.id, body),
});

export const freeAddressEndpoint = endpoint({
  method: "DELETE",
  path: "/api/networks/{id}/addresses",
  tag,
  summary: "Free a reserved address",
  description: "The reservation ends, that of a MAC too. A VM that has them keeps them as long as it is there.",
  params: idParams,
  query: z.strictObject({ ipv4: z.ipv4() }),
  handle: ({ context, params, query }) => freeInNetwork(context, params.id, query.ipv4),
});
