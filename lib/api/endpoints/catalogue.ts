import { stringify } from "yaml";
import { z } from "zod";
import { getHost, listHosts } from "../../control/hosts";
import { listImages, listNetworks } from "../../control/lists";
import { hostSchema } from "../../domain/host";
import { imageSchema } from "../../domain/image";
import { networkSchema } from "../../domain/network";
import { baseCloudConfig } from "../../domain/seed";
import { sizeSchema, sizes } from "../../domain/size";
import { mergeCloudConfig, parseUserData } from "../../domain/userData";
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

export const listImagesEndpoint = endpoint({
  method: "GET",
  path: "/api/images",
  tag: "Catalogue",
  summary: "List images",
  response: listOf(imageSchema),
  handle: async ({ context }) => asList(await listImages(context)),
});

export const listNetworksEndpoint = endpoint({
  method: "GET",
  path: "/api/networks",
  tag: "Catalogue",
  summary: "List networks",
  response: listOf(networkSchema),
  handle: async ({ context }) => asList(await listNetworks(context)),
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
  description: "Says what is wrong, by line, and what the VM will get: Cumulus' own part with this merged over it.",
  body: z.strictObject({ userData: z.string().max(128 * 1024) }),
  response: z.object({
    valid: z.boolean(),
    problems: z.array(z.object({ line: z.number().int().nullable(), message: z.string() })),
    preview: z.string(),
  }),
  handle: async ({ body }) => {
    const parsed = parseUserData(body.userData);
    const { problems } = parsed;
    if (parsed.kind === "invalid") return { valid: false, problems, preview: "" };
    if (parsed.kind === "script") return { valid: true, problems, preview: parsed.script };
    const ours = baseCloudConfig({ hostname: "NAME", loginUser: "root", publicKeys: ["YOUR SSH KEYS"], files: [] });
    return { valid: true, problems, preview: `#cloud-config\n${stringify(mergeCloudConfig(ours, parsed.config))}` };
  },
});
