import { z } from "zod";
import { makeSignInLink, setPassword } from "../../auth/account";
import { addSshKey, deleteSshKey, listSshKeys } from "../../control/sshKeys";
import { createToken, listTokens, revokeToken } from "../../control/tokens";
import { CumulusError } from "../../domain/errors";
import { createSshKeySchema, sshKeySchema } from "../../domain/sshKey";
import { createdTokenSchema, createTokenSchema, tokenSchema } from "../../domain/token";
import { endpoint } from "../endpoint";
import { asList, idParams, listOf } from "../shapes";

export const listSshKeysEndpoint = endpoint({
  method: "GET",
  path: "/api/ssh-keys",
  tag: "SSH keys",
  summary: "List saved SSH keys",
  response: listOf(sshKeySchema),
  handle: async ({ context }) => asList(await listSshKeys(context)),
});

export const addSshKeyEndpoint = endpoint({
  method: "POST",
  path: "/api/ssh-keys",
  tag: "SSH keys",
  summary: "Save an SSH key",
  body: createSshKeySchema,
  response: sshKeySchema,
  status: 201,
  handle: ({ context, body }) => addSshKey(context, body),
});

export const deleteSshKeyEndpoint = endpoint({
  method: "DELETE",
  path: "/api/ssh-keys/{id}",
  tag: "SSH keys",
  summary: "Delete a saved SSH key",
  description: "VMs that have it keep it.",
  params: idParams,
  handle: ({ context, params }) => deleteSshKey(context, params.id),
});

export const listTokensEndpoint = endpoint({
  method: "GET",
  path: "/api/tokens",
  tag: "API tokens",
  summary: "List API tokens",
  response: listOf(tokenSchema),
  handle: async ({ context }) => asList(await listTokens(context)),
});

export const createTokenEndpoint = endpoint({
  method: "POST",
  path: "/api/tokens",
  tag: "API tokens",
  summary: "Create an API token",
  description: "The token is in this answer and never shown again.",
  body: createTokenSchema,
  response: createdTokenSchema,
  status: 201,
  handle: ({ context, body }) => createToken(context, body),
});

export const revokeTokenEndpoint = endpoint({
  method: "DELETE",
  path: "/api/tokens/{id}",
  tag: "API tokens",
  summary: "Revoke an API token",
  params: idParams,
  handle: ({ context, params }) => revokeToken(context, params.id),
});

export const setPasswordEndpoint = endpoint({
  method: "POST",
  path: "/api/account/password",
  tag: "Account",
  summary: "Set or change the password",
  description: "By a browser's session only. The first password needs no present one.",
  body: z.strictObject({ newPassword: z.string().max(128), currentPassword: z.string().max(128).optional() }),
  handle: async ({ context, services, actor, body, request }) => {
    if (actor.kind !== "user")
      throw new CumulusError("forbidden", "An API token has no password. Sign in with a browser.");
    await setPassword({ db: context.db, auth: services.auth }, request.headers, body);
  },
});

export const signInLinkEndpoint = endpoint({
  method: "POST",
  path: "/api/sign-in-links",
  tag: "Account",
  summary: "Make a one-time sign-in link",
  description:
    "With the administrator's token only. `reset` forgets the password, so that the link leads to setting a new one.",
  body: z.strictObject({ reset: z.boolean().optional() }),
  response: z.object({ url: z.string() }),
  status: 201,
  handle: async ({ context, services, actor, body, request }) => {
    if (actor.kind !== "token" || actor.name !== "admin-token") {
      throw new CumulusError("forbidden", "Only the administrator's token, in the file admin-token, may do this.");
    }
    const deps = { db: context.db, auth: services.auth };
    return { url: await makeSignInLink(deps, request.headers, body.reset ?? false) };
  },
});
