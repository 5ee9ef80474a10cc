import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { PassThrough, type Readable } from "node:stream";
import { makeRepository } from "../backups/repository";
import { assertOutside } from "../backups/repositoryFolder";
import { listCopies } from "../backups/store";
import { repositoryAccessSchema } from "../domain/backup";
import { CumulusError } from "../domain/errors";
import { networkStateSchema } from "../domain/hostNetwork";
import { machineSpecSchema } from "../domain/machine";
import { guestPathSchema } from "../domain/snapshotFile";
import { pathsOf, type Settings } from "../env";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { listPresentRecipes } from "../images/buildImage";
import { readCatalogue } from "../images/catalogue/read";
import { checkImageAddress } from "../images/fetch/checkAddress";
import { askPublishedChecksum } from "../images/fetch/publishedBuild";
import { exampleRecipes } from "../images/recipes/examples";
import { imageFile, listImages } from "../images/store";
import {
  diagnoseBodySchema,
  imageAddressBodySchema,
  portCheckBodySchema,
  publishedChecksumBodySchema,
  rebootBodySchema,
  resetBodySchema,
  taskBodySchema,
  typeBodySchema,
} from "./protocol";
import { readBody } from "./readBody";
import { SentFile } from "./sentFile";
import { findExport } from "./tasks/exportKind";
import type { TaskRunner } from "./tasks/runner";

export interface Call {
  hypervisor: Hypervisor;
  tasks: TaskRunner;
  request: IncomingMessage;
  query: URLSearchParams;
  /** What stands in the path's braces. */
  param: string;
  /** The same as a number; NaN where it is none. */
  id: number;
  /** Aborted when the client closes the request before it is answered. */
  signal: AbortSignal;
}

/** An answer: a Buffer is a PNG, a SentFile that file, undefined is 204, anything else is JSON. */
type Handler = (call: Call) => Promise<unknown>;

/** Requests that have one answer, by method and path; protocol.ts describes them. */
const handlers: Record<string, Handler> = {
  "GET /host": ({ hypervisor }) => hypervisor.host(),
  "GET /images": ({ hypervisor }) => hypervisor.listImages(),
  "GET /present-recipes": async () => listPresentRecipes(),
  "GET /images/{sha256}/file": ({ tasks, param }) => imageContent(tasks.settings, param),
  "GET /catalogue": ({ tasks }) => readCatalogue(pathsOf(tasks.settings)),
  "POST /image-address": async ({ tasks, request }) =>
    checkImageAddress((await readBody(request, imageAddressBodySchema)).url, tasks.settings),
  "POST /published-checksum": async ({ tasks, request, signal }) => {
    const { catalogueId } = await readBody(request, publishedChecksumBodySchema);
    return { checksum: await askPublishedChecksum(catalogueId, tasks.settings, signal) };
  },
  "GET /example-recipes": async () => exampleRecipes(),
  "DELETE /images/{sha256}": ({ hypervisor, param, query }) =>
    hypervisor.removeImage({ sha256: param, name: query.get("name") ?? "" }),
  "GET /networks": ({ hypervisor }) => hypervisor.networkStatus(),
  "PUT /networks": async ({ hypervisor, request }) =>
    hypervisor.applyNetworks(await readBody(request, networkStateSchema)),
  "POST /port-check": async ({ hypervisor, request }) => {
    const { protocol, port } = await readBody(request, portCheckBodySchema);
    return { whyTaken: await hypervisor.whyPortTaken(protocol, port) };
  },
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
  "POST /machines/{id}/diagnose": async ({ hypervisor, id, request }) => {
    const { interfaceId, port } = await readBody(request, diagnoseBodySchema);
    return hypervisor.diagnose(id, interfaceId, port);
  },
  "GET /machines/{id}/traffic": ({ hypervisor, id }) => hypervisor.traffic(id),
  "POST /machines/{id}/type": async ({ hypervisor, id, request, signal }) => {
    const { text } = await readBody(request, typeBodySchema);
    return hypervisor.typeText(id, text, signal);
  },
  "GET /machines/{id}/screenshot": async ({ hypervisor, id, query }) =>
    query.get("last") === "1" ? ((await hypervisor.lastScreenshot(id)) ?? undefined) : hypervisor.screenshot(id),
  "GET /machines/{id}/snapshot-cost": ({ hypervisor, id }) => hypervisor.snapshotCost(id),
  "GET /snapshots/{id}/files": ({ hypervisor, id, query }) => hypervisor.listSnapshotFiles(id, pathOf(query)),
  "GET /snapshots/{id}/file": ({ hypervisor, id, query }) => hypervisor.readSnapshotFile(id, pathOf(query)),
  "GET /snapshots": ({ hypervisor }) => hypervisor.listSnapshots(),
  "DELETE /snapshots/{id}": ({ hypervisor, id }) => hypervisor.removeSnapshot(id),
  "POST /backup-repository/make": async ({ tasks, request }) => {
    const access = await readBody(request, repositoryAccessSchema);
    await assertOutside(access, tasks.settings.dataDir);
    return makeRepository(access);
  },
  "POST /backup-repository/list": async ({ tasks, request, query }) => {
    const access = await readBody(request, repositoryAccessSchema);
    if (query.get("new") === "1") await assertOutside(access, tasks.settings.dataDir);
    return listCopies(access);
  },
  "PUT /tasks/{id}": async ({ tasks, id, request }) => {
    const { kind, params } = await readBody(request, taskBodySchema);
    return tasks.put(id, kind, params);
  },
  "GET /tasks/{id}": ({ tasks, id, query }) => tasks.get(id, numberOf(query, "after"), numberOf(query, "waitMs")),
  "GET /tasks/{id}/log": ({ tasks, id, query }) => tasks.readLog(id, numberOf(query, "offset")),
  "GET /tasks/{id}/file": ({ tasks, id }) => exportContent(tasks.settings, id),
  "PUT /uploads/{id}": async ({ tasks, id, request }) => {
    const length = request.headers["content-length"];
    await tasks.uploads.bring(id, {
      body: bodyOf(request),
      contentLength: length === undefined ? null : Number(length),
    });
  },
  "POST /tasks/{id}/cancel": async ({ tasks, id }) => tasks.cancel(id),
};

interface StreamRoute {
  open(hypervisor: Hypervisor, id: number): Promise<Duplex>;
  /** The VM's own socket for it, where it has one. */
  socket?(hypervisor: Hypervisor, id: number): Promise<string | null>;
}

/** Requests that become byte streams. */
const streams: Record<string, StreamRoute> = {
  "GET /machines/{id}/vnc": {
    open: (hypervisor, id) => hypervisor.openVnc(id),
    socket: (hypervisor, id) => hypervisor.vncSocket(id),
  },
  "GET /machines/{id}/serial": { open: (hypervisor, id) => hypervisor.openSerial(id) },
};

async function ensure({ hypervisor, id, request }: Call): Promise<unknown> {
  const spec = await readBody(request, machineSpecSchema);
  if (spec.id === id) return hypervisor.ensure(spec);
  const message = `The path says VM ${id}, the body VM ${spec.id}.`;
  throw new CumulusError("bad_request", message, { fields: { id: message } });
}

async function imageContent(settings: Settings, sha256: string): Promise<SentFile> {
  const paths = pathsOf(settings);
  const image = (await listImages(paths, () => {})).find((image) => image.sha256 === sha256);
  if (!image) throw new CumulusError("not_found", "This host doesn't have the image's file.");
  return new SentFile(imageFile(paths, sha256, image.kind));
}

async function exportContent(settings: Settings, id: number): Promise<SentFile> {
  const path = await findExport(settings, id);
  if (path !== null) return new SentFile(path);
  throw new CumulusError("not_found", "The file is not here, or not any more: export it again.");
}

/** A request's body apart from the request: whoever gives it up must still be able to answer. */
function bodyOf(request: IncomingMessage): Readable {
  const body = new PassThrough();
  request.on("error", (error) => body.destroy(error));
  return request.pipe(body);
}

/** A whole number of the query, at least 0; 0 where there is none. */
function numberOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "0";
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CumulusError("bad_request", `${name} is no number.`);
}

export const findHandler = (request: IncomingMessage) => find(handlers, request);
export const findStream = (request: IncomingMessage) => find(streams, request);

function pathOf(query: URLSearchParams): string {
  const path = guestPathSchema.safeParse(query.get("path"));
  if (path.success) return path.data;
  throw new CumulusError("bad_request", "Give the path of a file of the guest.");
}

const nounsWithId = new Set(["machines", "snapshots", "tasks", "uploads"]);

/** The route of a request and what its path names. `not_found` when there is none. */
function find<T>(routes: Record<string, T>, { method, url = "/" }: IncomingMessage) {
  const [path = "/", search] = url.split("?", 2);
  const [, noun, param = "", ...rest] = path.split("/");
  const named = [noun];
  if (nounsWithId.has(noun ?? "") && /^[1-9]\d{0,14}$/.test(param)) named.push("{id}");
  else if (noun === "images" && /^[0-9a-f]{64}$/.test(param)) named.push("{sha256}");
  else if (param) named.push(encodeURIComponent(param));
  const key = `${method} /${[...named, ...rest].join("/")}`;
  const route = Object.hasOwn(routes, key) ? routes[key] : undefined;
  if (!route) throw new CumulusError("not_found", `The agent has no ${method} ${path}.`);
  return { route, param, id: Number(param), query: new URLSearchParams(search) };
}
