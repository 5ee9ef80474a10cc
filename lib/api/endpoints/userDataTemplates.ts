import {
  addTemplate,
  deleteTemplate,
  getTemplate,
  listTemplates,
  updateTemplate,
} from "../../control/templates/templates";
import {
  createUserDataTemplateSchema,
  updateUserDataTemplateSchema,
  userDataTemplateSchema,
} from "../../domain/userDataTemplate";
import { endpoint } from "../endpoint";
import { asList, idParams, listOf } from "../shapes";

const tag = "User data";

export const listTemplatesEndpoint = endpoint({
  method: "GET",
  path: "/api/user-data-templates",
  tag,
  summary: "List user data templates",
  response: listOf(userDataTemplateSchema),
  handle: async ({ context }) => asList(await listTemplates(context)),
});

export const getTemplateEndpoint = endpoint({
  method: "GET",
  path: "/api/user-data-templates/{id}",
  tag,
  summary: "Get a user data template",
  params: idParams,
  response: userDataTemplateSchema,
  handle: ({ context, params }) => getTemplate(context, params.id),
});

export const addTemplateEndpoint = endpoint({
  method: "POST",
  path: "/api/user-data-templates",
  tag,
  summary: "Save a user data template",
  body: createUserDataTemplateSchema,
  response: userDataTemplateSchema,
  status: 201,
  handle: ({ context, body }) => addTemplate(context, body),
});

export const updateTemplateEndpoint = endpoint({
  method: "PATCH",
  path: "/api/user-data-templates/{id}",
  tag,
  summary: "Change a user data template",
  description: "VMs that were made with it keep what they were given.",
  params: idParams,
  body: updateUserDataTemplateSchema,
  response: userDataTemplateSchema,
  handle: ({ context, params, body }) => updateTemplate(context, params.id, body),
});

export const deleteTemplateEndpoint = endpoint({
  method: "DELETE",
  path: "/api/user-data-templates/{id}",
  tag,
  summary: "Delete a user data template",
  params: idParams,
  handle: ({ context, params }) => deleteTemplate(context, params.id),
});
