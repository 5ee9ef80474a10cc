import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { CumulusError } from "../domain/errors";
import { machineSpecSchema } from "../domain/machine";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { rebootBodySchema, resetBodySchema, typeBodySchema } from "./protocol";
import { readBody } from "./readBody";

export interface Call {
  hypervisor: Hypervisor;
  request: IncomingMessage;
  query: URLSearchParams;
  /** What stands in the path's braces. */
  param: string;
  /** The same as a number; NaN where it is none. */
  id: number;
  /** Aborted when the client closes the request before it is answered. */
  signal: AbortSignal;
}

/** An answer: a Buffer is a PNG, undefined is 204, anything else is JSON. */
type Handler = (call: Call) => Promise<unknown>;

/** Requests that have one answer, by method and path; protocol.ts describes them. */
const handlers: Record<string, Handler> = {
  "GET /host": ({ hypervisor }) => hypervisor.host(),
  "GET /images": ({ hypervisor }) => hypervisor.listImages(),
  "DELETE /images/{sha256}": ({ hypervisor, param }) => hypervisor.removeImage(param),
  "GET /machines": ({ hypervisor }) => hypervisor.observeAll(),
  "GET /machines/{id}": ({ hypervisor, id }) => hypervisor.observe(id),
  "PUT /machines/{id}": ensure,
  "DELETE /machines/{id}": ({ hypervisor, id }) => hypervisor.remove(id),
  "POST /machines/{id}/start": ({ hypervisor, id }) => hypervisor.start(id),
  "POST /machines/{id}/stop": ({ hypervisor, id }) => hypervisor.stop(id),
  "POST /machines/{id}/shutdown": ({ hypervisor, id }) => hypervisor.shutdown(id),
  "POST /machines/{id}/pause": ({ hypervisor, id }) => hypervisor.pause(id),
  "POST /machines/{id}/resume": ({ hypervisor, id }) => hypervisor.resume(id),
  "POST /machines/{id}/reboot": async ({ hypervisor, id, request }) => {
    const { operationId, deadlineMs } = await readBody(request, rebootBodySchema);
    return hypervisor.reboot(id, operationId, deadlineMs);
  },
  "POST /machines/{id}/reset": async ({ hypervisor, id, request }) => {
    const { operationId } = await readBody(request, resetBodySchema);
    return hypervisor.reset(id, operationId);
  },
  "POST /machines/{id}/type": async ({ hypervisor, id, request, signal }) => {
    const { text } = await readBody(request, typeBodySchema);
    return hypervisor.typeText(id, text, signal);
  },
  "GET /machines/{id}/screenshot": async ({ hypervisor, id, query }) =>
    query.get("last") === "1" ? ((await hypervisor.lastScreenshot(id)) ?? undefined) : hypervisor.screenshot(id),
};

/** Requests that become WebSockets. */
const streams: Record<string, (call: { hypervisor: Hypervisor; id: number }) => Promise<Duplex>> = {
  "GET /machines/{id}/vnc": ({ hypervisor, id }) => hypervisor.openVnc(id),
  "GET /machines/{id}/serial": ({ hypervisor, id }) => hypervisor.openSerial(id),
};

async function ensure({ hypervisor, id, request }: Call): Promise<unknown> {
  const spec = await readBody(request, machineSpecSchema);
  if (spec.id === id) return hypervisor.ensure(spec);
  const message = `The path says VM ${id}, the body VM ${spec.id}.`;
  throw new CumulusError("bad_request", message, { fields: { id: message } });
}

export const findHandler = (request: IncomingMessage) => find(handlers, request);
export const findStream = (request: IncomingMessage) => find(streams, request);

/** The route of a request and what its path names. `not_found` when there is none. */
function find<T>(routes: Record<string, T>, { method, url = "/" }: IncomingMessage) {
  const [path = "/", search] = url.split("?", 2);
  const [, noun, param = "", ...rest] = path.split("/");
  const named = [noun];
  if (noun === "machines" && /^[1-9]\d{0,14}$/.test(param)) named.push("{id}");
  else if (noun === "images" && /^[0-9a-f]{64}$/.test(param)) named.push("{sha256}");
  else if (param) named.push(encodeURIComponent(param));
  const key = `${method} /${[...named, ...rest].join("/")}`;
  const route = Object.hasOwn(routes, key) ? routes[key] : undefined;
  if (!route) throw new CumulusError("not_found", `The agent has no ${method} ${path}.`);
  return { route, param, id: Number(param), query: new URLSearchParams(search) };
}
