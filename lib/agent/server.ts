import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import type { Hypervisor } from "../hypervisor/hypervisor";
import { pipeWebSocket } from "./pipeWebSocket";
import { maxBodyBytes } from "./protocol";
import { findHandler, findStream } from "./routes";
import { streamObservations } from "./watchStream";
import { toWire } from "./wireError";

export interface AgentServerOptions {
  hypervisor: Hypervisor;
  log: Pick<Logger, "error">;
  /** Requests wait for it: the socket is held from the start, while the hypervisor still takes up what runs. */
  ready?: Promise<void>;
  /** When a peer that doesn't read a VNC or serial stream is let go. */
  stallAfterMs?: number;
}

export interface AgentServer extends Server {
  /** Ends all consoles and watches, so that `close` can finish. */
  closeStreams(): void;
}

/** The agent's HTTP and WebSocket interface (protocol.ts). Whoever reaches the socket may do all: its file mode is the lock. */
export function createAgentServer({ hypervisor, log, ready, stallAfterMs }: AgentServerOptions): AgentServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxBodyBytes, perMessageDeflate: false });
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
      send(response, await route({ ...target, hypervisor, request, signal: abort.signal }));
    } catch (error) {
      const isGivenUp = abort.signal.aborted && error instanceof Error && error.name === "AbortError";
      if (isGivenUp) return;
      const { status, body } = wireError(error, request);
      // Half an answer can't be taken back; the client sees that it is cut off.
      if (response.headersSent) response.destroy();
      else sendJson(response, status, body);
    }
  }

  async function upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    connection.on("error", () => connection.destroy());
    try {
      await ready;
      const { route, id } = findStream(request);
      const stream = await route({ hypervisor, id });
      // Until the pipe takes over, an error of the VM's end must not become the agent's.
      stream.on("error", () => stream.destroy());
      // Also when the handshake fails or the client has gone meanwhile.
      connection.on("close", () => stream.destroy());
      if (connection.destroyed) stream.destroy();
      else {
        sockets.handleUpgrade(request, connection, head, (socket) => pipeWebSocket(socket, stream, { stallAfterMs }));
      }
    } catch (error) {
      const { status, body } = wireError(error, request);
      refuseUpgrade(connection, status, JSON.stringify(body));
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  server.on("upgrade", (request, connection, head) => void upgrade(request, connection, head));
  return Object.assign(server, {
    closeStreams() {
      for (const socket of sockets.clients) socket.close(1001, "The agent is stopping.");
      for (const watch of watches) watch.end();
    },
  });
}

function send(response: ServerResponse, result: unknown): void {
  if (result === undefined) response.writeHead(204).end();
  else if (Buffer.isBuffer(result)) response.writeHead(200, { "content-type": "image/png" }).end(result);
  else sendJson(response, 200, result);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuseUpgrade(connection: Duplex, status: number, body: string): void {
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
