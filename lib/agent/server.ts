import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import type { Logger } from "pino";
import { CumulusError } from "../domain/errors";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { handOut } from "./handOut";
import { byteProtocol } from "./protocol";
import { relay } from "./relay";
import { findHandler, findStream } from "./routes";
import { SentFile, sendFile } from "./sentFile";
import type { TaskRunner } from "./tasks/runner";
import { streamObservations } from "./watchStream";
import { toWire } from "./wireError";

export interface AgentServerOptions {
  hypervisor: Hypervisor;
  tasks: TaskRunner;
  log: Pick<Logger, "error">;
  /** Requests wait for it: the socket is held from the start, while the hypervisor still takes up what runs. */
  ready?: Promise<void>;
  /** When a peer that doesn't read a VNC or serial stream is let go. */
  stallAfterMs?: number;
  /** Where the console may open VMs' sockets (handOut.ts). Without it, all is relayed. */
  handOutDir?: string;
}

export interface AgentServer extends Server {
  /** Ends all consoles and watches, so that `close` can finish. */
  closeStreams(): void;
}

/** The agent's HTTP interface (protocol.ts). Whoever reaches the socket may do all: its file mode is the lock. */
export function createAgentServer(options: AgentServerOptions): AgentServer {
  const { hypervisor, tasks, log, ready, stallAfterMs, handOutDir } = options;
  const viewers = new Set<Socket>();
  const watches = new Set<ServerResponse>();

  const wireError = (error: unknown, { method, url }: IncomingMessage) => {
    const wire = toWire(error);
    if (wire.status === 500) log.error({ err: error, method, url }, "A request failed unexpectedly.");
    return wire;
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController();
    response.on("close", () => abort.abort());
    try {
      await ready;
      if (abort.signal.aborted) return;
      if (request.method === "GET" && request.url === "/watch") {
        watches.add(response);
        response.on("close", () => watches.delete(response));
        return await streamObservations(hypervisor, response);
      }
      const { route, ...target } = findHandler(request);
      const result = await route({ ...target, hypervisor, tasks, request, signal: abort.signal });
      if (result instanceof SentFile) await sendFile(request, response, result);
      else if (result instanceof Readable) await sendStream(response, result);
      else send(response, result);
    } catch (error) {
      const isGivenUp = abort.signal.aborted && error instanceof Error && error.name === "AbortError";
      if (isGivenUp) return;
      const { status, body } = wireError(error, request);
      // Half an answer can't be taken back; the client sees that it is cut off.
      if (response.headersSent) response.destroy();
      else sendJson(response, status, body);
    }
  }

  async function upgrade(request: IncomingMessage, connection: Socket, head: Buffer): Promise<void> {
    viewers.add(connection);
    connection.on("close", () => viewers.delete(connection));
    connection.on("error", () => connection.destroy());
    try {
      await ready;
      const { route, id } = findStream(request);
      if (request.headers.upgrade !== byteProtocol) {
        throw new CumulusError("bad_request", `The agent upgrades to ${byteProtocol} and to nothing else.`);
      }
      const socket = handOutDir && (await route.socket?.(hypervisor, id));
      const name = socket && (await handOut(socket, handOutDir));
      if (name) return redirectUpgrade(connection, name);
      const stream = await route.open(hypervisor, id);
      // An error of the VM's end must not become the agent's.
      stream.on("error", () => stream.destroy());
      connection.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${byteProtocol}\r\n\r\n`);
      connection.unshift(head);
      relay(stream, connection, stallAfterMs);
    } catch (error) {
      const { status, body } = wireError(error, request);
      refuseUpgrade(connection, status, JSON.stringify(body));
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  // An upload takes as long as it takes; one that stalls is ended by the task that receives it.
  server.requestTimeout = 0;
  server.on("upgrade", (request, _connection, head) => void upgrade(request, request.socket, head));
  return Object.assign(server, {
    closeStreams() {
      for (const viewer of viewers) viewer.destroySoon();
      for (const watch of watches) watch.end();
    },
  });
}

/** Bytes of unknown number. */
async function sendStream(response: ServerResponse, stream: Readable): Promise<void> {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  await pipeline(stream, response);
}

function send(response: ServerResponse, result: unknown): void {
  if (result === undefined) response.writeHead(204).end();
  else if (Buffer.isBuffer(result)) response.writeHead(200, { "content-type": "image/png" }).end(result);
  else sendJson(response, 200, result);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Says where the socket is; its name is gone when the connection is. */
function redirectUpgrade(connection: Socket, name: string): void {
  const remove = () => rmSync(name, { force: true });
  connection.on("close", remove);
  if (connection.destroyed) remove();
  // Only who reads sees the other side leave.
  connection.on("end", () => connection.destroy()).resume();
  connection.write(`HTTP/1.1 307 Open That Instead\r\nLocation: ${pathToFileURL(name).href}\r\n\r\n`);
}

function refuseUpgrade(connection: Socket, status: number, body: string): void {
  connection.end(
    [
      `HTTP/1.1 ${status} Refused`,
      "Connection: close",
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
  );
}
