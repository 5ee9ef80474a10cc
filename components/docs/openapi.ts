/** The part of an OpenAPI 3.1 document that the docs read. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: Schema | boolean;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  schema: Schema;
}

type Content = Record<string, { schema?: Schema }>;

interface PathOperation {
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

export interface OpenApiDocument {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, PathOperation>>;
  components?: { schemas?: Record<string, Schema> };
}

/** One operation as the docs show it. */
export interface DocOperation {
  /** Its place on the page. */
  anchor: string;
  method: string;
  path: string;
  summary: string;
  description: string | undefined;
  /** Whether it needs no sign-in. */
  isOpen: boolean;
  parameters: Parameter[];
  body: Schema | undefined;
  /** Its body is a file's bytes. */
  takesFile: boolean;
  success: { status: string; contentType: string | undefined; schema: Schema | undefined };
}

export interface DocGroup {
  name: string;
  anchor: string;
  operations: DocOperation[];
}

/** The operations by tag, in the document's order. */
export function groupsOf(document: OpenApiDocument): DocGroup[] {
  const groups = new Map<string, DocGroup>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = operation.tags?.[0] ?? "Other";
      const group = groups.get(name) ?? { name, anchor: anchorOf(name), operations: [] };
      group.operations.push(docOperationOf(method, path, operation));
      groups.set(name, group);
    }
  }
  return [...groups.values()];
}

function docOperationOf(method: string, path: string, operation: PathOperation): DocOperation {
  const [status = "200", response] = Object.entries(operation.responses).find(([code]) => code !== "default") ?? [];
  const [contentType, content] = Object.entries(response?.content ?? {})[0] ?? [];
  return {
    anchor: anchorOf(`${method} ${path}`),
    method: method.toUpperCase(),
    path,
    summary: operation.summary ?? path,
    description: operation.description,
    isOpen: operation.security?.length === 0,
    parameters: operation.parameters ?? [],
    body: operation.requestBody?.content["application/json"]?.schema,
    takesFile: operation.requestBody?.content["application/octet-stream"] !== undefined,
    success: { status, contentType, schema: content?.schema },
  };
}

export function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** The name that a `$ref` to a component ends with. */
export function refName(ref: string): string {
  return ref.slice(ref.lastIndexOf("/") + 1);
}

/** The schema itself, or what it refers to. */
export function resolve(schema: Schema, document: OpenApiDocument): Schema {
  return schema.$ref === undefined ? schema : (document.components?.schemas?.[refName(schema.$ref)] ?? {});
}
