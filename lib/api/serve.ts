import { isAllowedHost } from "../auth/allowedHosts";
import { authenticate } from "../auth/authenticate";
import { isSameOrigin } from "../console/origin";
import type { Actor } from "../control/context";
import { CumulusError } from "../domain/errors";
import { type Services, services } from "../services";
import { type AnyEndpoint, type Method, methods } from "./endpoint";
import { check, readJson } from "./parse";
import { problemResponse } from "./problem";

type RouteHandler = (
  request: Request,
  route: { params: Promise<Record<string, string> | undefined> },
) => Promise<Response>;

/** What a route file exports; Next makes HEAD of GET. */
type Route = Record<Method | "OPTIONS", RouteHandler>;

const nobody: Actor = { kind: "system", name: "nobody" };

/**
 * Next's route handlers of endpoints that share a path. Every request of a method that one of them has takes this way, whatever stood before it:
 * Host → credentials → origin → parameters → body → one call → JSON.
 */
export function serve(...endpoints: AnyEndpoint[]): Route {
  return routeWith(Object.fromEntries(endpoints.map((endpoint) => [endpoint.method, routeOf(endpoint)])));
}

/** The handlers of a path that has these methods: of the others, whoever asks is told which there are. */
export function routeWith(handlers: Partial<Record<Method, RouteHandler>>): Route {
  const present: string[] = methods.filter((method) => handlers[method]);
  const others: RouteHandler = async (request) =>
    tellMethods(request, [...present, ...(handlers.GET ? ["HEAD"] : []), "OPTIONS"]);
  const all = { ...Object.fromEntries(methods.map((method) => [method, others])), ...handlers, OPTIONS: others };
  return all as Route;
}

/** Which methods a path has (RFC 9110, sections 9.3.7 and 15.5.6): as OPTIONS asks, or to whoever came by another. Told to all: /docs says no less. */
export function tellMethods({ method }: Request, present: string[]): Response {
  const allow = present.join(", ");
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  const message = `${method} is not possible here. What is: ${allow}.`;
  const response = problemResponse(new CumulusError("method_not_allowed", message));
  response.headers.set("allow", allow);
  return response;
}

function routeOf(endpoint: AnyEndpoint): RouteHandler {
  return async (request, route) => {
    try {
      const answer = await answerOf(endpoint, services(), request, (await route.params) ?? {});
      if (answer instanceof Response) return answer;
      if (endpoint.response === null) return new Response(null, { status: endpoint.status });
      return Response.json(answer, { status: endpoint.status, headers: { "cache-control": "no-store" } });
    } catch (error) {
      const response = problemResponse(error);
      if (response.status >= 500) {
        services().context.log.error({ err: error, method: endpoint.method, path: endpoint.path }, "request failed");
      }
      return response;
    }
  };
}

async function answerOf(
  endpoint: AnyEndpoint,
  deps: Services,
  request: Request,
  pathParams: Record<string, string>,
): Promise<unknown> {
  const { context } = deps;
  if (!isAllowedHost(request.headers.get("host") ?? undefined, context.settings)) {
    throw new CumulusError(
      "forbidden",
      "This host name isn't one of Cumulus'. Use the address that it printed, or name this one in CUMULUS_ALLOWED_HOSTS.",
    );
  }
  const actor = endpoint.access === "open" ? nobody : await authorize(deps, request);
  const params = checkParams(endpoint, pathParams);
  const query = check(endpoint.query, queryOf(request));
  const body = endpoint.body ? check(endpoint.body, await readJsonBody(request)) : undefined;
  return endpoint.handle({ context, services: deps, actor, params, query, body, request });
}

/** @throws `unauthenticated`; `forbidden` when a cookie's request doesn't come from our own pages */
export async function authorize(deps: Services, request: Request): Promise<Actor> {
  const authentication = await authenticate({ ...deps, db: deps.context.db }, request.headers);
  if (!authentication) {
    throw new CumulusError("unauthenticated", "Sign in, or send an API token: `Authorization: Bearer …`.");
  }
  const isReading = request.method === "GET" || request.method === "HEAD";
  if (authentication.by === "session" && !isReading) {
    const origin = request.headers.get("origin") ?? undefined;
    if (!isSameOrigin(origin, request.headers.get("host") ?? undefined)) {
      throw new CumulusError("forbidden", "A page of another site can't act with your sign-in.");
    }
  }
  return authentication.actor;
}

/** @throws `bad_request` for a parameter that is given twice: which of them is meant nobody knows */
function queryOf(request: Request): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URL(request.url).searchParams) {
    if (Object.hasOwn(query, name)) {
      const message = `${name} is given more than once.`;
      throw new CumulusError("bad_request", message, { fields: { [name]: message } });
    }
    query[name] = value;
  }
  return query;
}

/** A path with an id that can't be one leads nowhere. */
function checkParams(endpoint: AnyEndpoint, pathParams: Record<string, string>): unknown {
  const parsed = endpoint.params.safeParse(pathParams);
  if (parsed.success) return parsed.data;
  throw new CumulusError(
    "not_found",
    `There is nothing at ${endpoint.path.replace(/\{(\w+)\}/g, (_, name) => pathParams[name] ?? "")}.`,
  );
}

/** The body of a request as JSON; an empty one is an empty object. @throws `bad_request` for another content type or bad JSON, `too_large` */
export async function readJsonBody(request: Request): Promise<unknown> {
  const contentType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const hasBody = request.body !== null && request.headers.get("content-length") !== "0";
  if (hasBody && contentType !== "application/json") {
    throw new CumulusError("bad_request", "Send the body as JSON, with `content-type: application/json`.");
  }
  const body = await readJson(request);
  return body === undefined ? {} : body;
}
