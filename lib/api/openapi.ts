import { z } from "zod";
import { cumulusVersion } from "../version";
import type { AnyEndpoint } from "./endpoint";
import { allEndpoints } from "./registry";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document, generated from the endpoints and their schemas. */
export function openApiDocument(): Json {
  const components: Json = {};
  const paths: Record<string, Json> = {};
  for (const endpoint of allEndpoints) {
    const operation = operationOf(endpoint, components);
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method.toLowerCase()]: operation };
  }
  for (const [path, summary] of Object.entries(webSockets)) paths[path] = { get: webSocketOperation(summary) };
  return {
    openapi: "3.1.0",
    info: {
      title: "Cumulus",
      version: cumulusVersion,
      description:
        'Errors are RFC 9457 problems with a `code`, but for the lab\'s paths. Sizes are bytes; requests also take "512M" or "10G".',
    },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: { ...components, Problem: problemSchema },
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "An API token, or the administrator's in the file admin-token.",
        },
        session: { type: "apiKey", in: "cookie", name: "cumulus.session_token" },
      },
    },
  };
}

const webSockets = {
  "/api/vms/{id}/vnc": "WebSocket: the screen as binary RFB (RFC 6143)",
  "/api/vms/{id}/serial": "WebSocket: the serial console; the log so far, then live bytes",
};

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What happened, why, and what to do." },
    code: { type: "string" },
    fields: { type: "object", additionalProperties: { type: "string" } },
    allowed: { type: "array", items: { type: "string" } },
  },
};

const problemContent = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };

function operationOf(endpoint: AnyEndpoint, components: Json): Json {
  return {
    operationId: operationIdOf(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.description && { description: endpoint.description }),
    ...(endpoint.access === "open" && { security: [] }),
    parameters: [
      ...parametersOf(endpoint.params, "path", components),
      ...parametersOf(endpoint.query, "query", components),
    ],
    ...(endpoint.body && {
      requestBody: { content: { "application/json": { schema: jsonSchema(endpoint.body, "input", components) } } },
    }),
    ...(endpoint.takesFile && {
      requestBody: {
        required: true,
        content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
      },
    }),
    responses: responsesOf(endpoint, components),
  };
}

function responsesOf({ response, status, failures }: AnyEndpoint, components: Json): Json {
  const json = (schema: z.ZodType) => ({ "application/json": { schema: jsonSchema(schema, "output", components) } });
  if (failures !== null && response instanceof z.ZodType) {
    const denied = json(failures.denied);
    return {
      [status]: { description: "Success, or what went wrong", content: json(z.union([response, failures.inPlace])) },
      401: { description: "A token is needed", content: denied },
      403: { description: "Not allowed", content: denied },
      405: { description: "A wrong method" },
    };
  }
  const success: Json = { description: "Success" };
  if (typeof response === "string") success.content = { [response]: { schema: { type: "string" } } };
  else if (response) success.content = json(response);
  return { [status]: success, default: { description: "An error", content: problemContent } };
}

function webSocketOperation(summary: string): Json {
  return {
    tags: ["Consoles"],
    summary,
    parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer" } }],
    responses: {
      101: { description: "Switching protocols" },
      default: { description: "An error", content: problemContent },
    },
  };
}

function parametersOf(schema: z.ZodType, place: "path" | "query", components: Json): Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema, "output", components) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || (required.includes(name) && !("default" in property)),
    schema: property,
  }));
}

/** The JSON Schema of a shape; those with an id become components that are referred to. */
function jsonSchema(schema: z.ZodType, io: "input" | "output", components: Json): Json {
  const made = z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline" });
  const text = JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $defs = {}, $schema: _schema, ...rest } = JSON.parse(text) as Json & { $defs?: Record<string, Json> };
  for (const [name, definition] of Object.entries($defs)) components[name] = withoutId(definition);
  const id = typeof rest.id === "string" ? rest.id : undefined;
  if (id === undefined) return rest;
  components[id] = withoutId(rest);
  return { $ref: `#/components/schemas/${id}` };
}

function withoutId({ id: _id, ...rest }: Json): Json {
  return rest;
}

/** `POST /api/vms/{id}/start` → `postVmsByIdStart`: stable, and good for generated clients. */
function operationIdOf({ method, path }: AnyEndpoint): string {
  const words = path
    .replace(/^\/api\//, "")
    .replace(/\{(\w+)\}/g, "by-$1")
    .split(/[/-]/);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
