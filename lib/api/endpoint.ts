import type { z } from "zod";
import type { Actor, Context } from "../control/context";
import type { Services } from "../services";
import { nothing } from "./shapes";

export const methods = ["GET", "POST", "PATCH", "PUT", "DELETE"] as const;
export type Method = (typeof methods)[number];

/** What a handler gets: everything checked. */
export interface Call<Params, Query, Body> {
  context: Context;
  services: Services;
  /** Who asks. On an endpoint that is open to all this is nobody. */
  actor: Actor;
  params: Params;
  query: Query;
  body: Body;
  request: Request;
}

/**
 * One operation of the API: the route handler, its checks and its part of the OpenAPI document all come from this. The handler is one call
 * of a use case.
 */
export interface Endpoint<Params = unknown, Query = unknown, Body = unknown, Answer = unknown> {
  method: Method;
  /** As OpenAPI writes it: `/api/vms/{id}`. */
  path: string;
  /** A short sentence, and what else is to know. */
  summary: string;
  description?: string;
  tag: string;
  access: "signed-in" | "open";
  params: z.ZodType<Params>;
  query: z.ZodType<Query>;
  body: z.ZodType<Body> | null;
  /** Its body is a file's bytes, which the handler reads itself. */
  takesFile: boolean;
  /** Shape of the JSON answer; a content type for any other; null for none. */
  response: z.ZodType<Answer> | "image/png" | "application/octet-stream" | "text/event-stream" | null;
  status: number;
  /** Where it answers what went wrong otherwise than by a problem: the shape that it then has with `status` too, and for who may not ask. */
  failures: { inPlace: z.ZodType; denied: z.ZodType } | null;
  handle(call: Call<Params, Query, Body>): Promise<Answer | Response>;
}

/** Any endpoint, for tables of them. */
// biome-ignore lint/suspicious/noExplicitAny: each endpoint has its own types, which its own definition has checked.
export type AnyEndpoint = Endpoint<any, any, any, any>;

type Definition<Params, Query, Body, Answer> = Omit<
  Endpoint<Params, Query, Body, Answer>,
  "params" | "query" | "body" | "takesFile" | "access" | "status" | "failures" | "response"
> & {
  access?: "open";
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  takesFile?: true;
  response?: Endpoint<Params, Query, Body, Answer>["response"];
  /** Of a success; 200, or 204 when nothing is answered. */
  status?: number;
  failures?: Endpoint["failures"];
};

/** Defines an endpoint; what is left out takes nothing and answers nothing. */
export function endpoint<Params, Query, Body, Answer>(
  definition: Definition<Params, Query, Body, Answer>,
): Endpoint<Params, Query, Body, Answer> {
  const response = definition.response ?? null;
  return {
    ...definition,
    access: definition.access ?? "signed-in",
    params: definition.params ?? (nothing as z.ZodType<Params>),
    query: definition.query ?? (nothing as z.ZodType<Query>),
    body: definition.body ?? null,
    takesFile: definition.takesFile ?? false,
    response,
    status: definition.status ?? (response === null ? 204 : 200),
    failures: definition.failures ?? null,
  };
}
