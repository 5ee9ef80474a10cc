import { getHost, listHosts } from "../../control/hosts";
import { hostSchema } from "../../domain/host";
import { sizeSchema, sizes } from "../../domain/size";
import { checkUserData, checkUserDataSchema, userDataCheckSchema } from "../../domain/userDataCheck";
import { endpoint } from "../endpoint";
import { asList, listOf } from "../shapes";

export const listSizesEndpoint = endpoint({
  method: "GET",
  path: "/api/sizes",
  tag: "Catalogue",
  summary: "List sizes",
  response: listOf(sizeSchema),
  handle: async () => asList([...sizes]),
});

export const getHostEndpoint = endpoint({
  method: "GET",
  path: "/api/host",
  tag: "Hosts",
  summary: "Get this machine",
  description: "Accelerator and networking mode with their reasons, capacity, and what is degraded.",
  response: hostSchema,
  handle: ({ context }) => getHost(context),
});

export const listHostsEndpoint = endpoint({
  method: "GET",
  path: "/api/hosts",
  tag: "Hosts",
  summary: "List hosts",
  response: listOf(hostSchema),
  handle: async ({ context }) => asList(await listHosts(context)),
});

export const checkUserDataEndpoint = endpoint({
  method: "POST",
  path: "/api/user-data/check",
  tag: "Catalogue",
  summary: "Check cloud-init user data",
  description:
    "Says what is wrong and what may be, by line, and what the VM will get: Cumulus' own part (users, password, time zone, locale, packages and files, where given) with this merged over it.",
  body: checkUserDataSchema,
  response: userDataCheckSchema,
  handle: async ({ body }) => checkUserData(body),
});
