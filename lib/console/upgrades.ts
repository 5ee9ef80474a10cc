import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { closeCodes } from "../domain/console";
import { CumulusError, messageOf } from "../domain/errors";
import type { ByteStream } from "../system/byteStream";
import { bridge } from "./bridge";
import { answerInstead, type ConsoleTarget, parseConsolePath } from "./handshake";
import { type ConsoleLimits, defaultConsoleLimits } from "./limits";
import { isSameOrigin } from "./origin";
import { watchRights } from "./rights";
import { ConsoleSlots } from "./slots";

/** Who asks for a console, and by what: a browser's session cookie or an API token. */
export interface ConsoleUser {
  kind: "session" | "token";
  userName: string;
}

export interface ConsoleDeps {
  /** Null without valid credentials; asked again for as long as the console is open. */
  authenticate(request: IncomingMessage): Promise<ConsoleUser | null>;
  /** Null when there is no such VM, or it isn't this user's. */
  findVm(id: number, user: ConsoleUser): Promise<{ id: number } | null>;
  /** The VM's consoles. Reject with a `CumulusError` whose message is shown; `wrong_state` when the VM is off. */
  agent: { openVnc(id: number): Promise<ByteStream>; openSerial(id: number): Promise<ByteStream> };
  /** Whether a `Host` header names this server (against DNS rebinding). */
  isAllowedHost(host: string | undefined): boolean;
  /** Calls the listener when a session, a token or a VM went away. Returns the way to stop listening. */
  onRightsChange(listener: () => void): () => void;
  /** The HTTP shape of an error. */
  toProblem(error: unknown): { status: number };
  log: { warn(details: object, message: string): void };
  limits?: Partial<ConsoleLimits>;
}

/** The consoles' part of an HTTP server's `upgrade` event. */
export interface ConsoleUpgrades {
  /** Takes the socket in every case: a WebSocket for a console's path and a right to it, else an HTTP error. */
  handleUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Ends all consoles, telling the browsers that the server restarts. */
  close(): void;
}

/**
 * Opens consoles in this order, so that nothing is learnt without the right to it:
 *
 *     path → Host → credentials → Origin (with a cookie) → the user's VM → limits → the agent's connection → 101
 */
export function createConsoleUpgrades(deps: ConsoleDeps): ConsoleUpgrades {
  const limits: ConsoleLimits = { ...defaultConsoleLimits, ...deps.limits };
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxPayloadBytes,
    perMessageDeflate: false,
    // noVNC and websockify's clients ask for this one; RFC 6455 lets us answer none of what was asked.
    handleProtocols: (asked) => (asked.has("binary") ? "binary" : false),
  });
  const slots = new ConsoleSlots(limits);
  let pending = 0;

  /** Who may open which console, or a rejection that says why not. */
  async function authorize(request: IncomingMessage): Promise<{ user: ConsoleUser; target: ConsoleTarget }> {
    const target = parseConsolePath(request.url);
    if (!target) throw new CumulusError("not_found", "There is nothing to connect to at this path.");
    if (!deps.isAllowedHost(request.headers.host)) {
      throw new CumulusError(
        "forbidden",
        "This host name isn't one of Cumulus'. Use the address that it printed at its start.",
      );
    }
    const user = await deps.authenticate(request);
    if (!user) throw new CumulusError("unauthenticated", "Sign in, or send an API token, to open a console.");
    if (user.kind === "session" && !isSameOrigin(request.headers.origin, request.headers.host)) {
      throw new CumulusError("forbidden", "A page of another site can't open a console with your sign-in.");
    }
    if (!(await deps.findVm(target.id, user))) throw new CumulusError("not_found", `There is no VM ${target.id}.`);
    return { user, target };
  }

  /** Cuts the console when its user's right to it ends. */
  function guard(
    webSocket: WebSocket,
    upstream: ByteStream,
    request: IncomingMessage,
    user: ConsoleUser,
    id: number,
  ): void {
    const stopWatching = watchRights({
      check: async () => {
        const present = await deps.authenticate(request);
        return present?.userName === user.userName && (await deps.findVm(id, present)) !== null;
      },
      onChange: deps.onRightsChange,
      onEnded: (reason) => {
        webSocket.close(closeCodes.denied, reason);
        upstream.connection.destroy();
      },
      log: deps.log,
      limits,
    });
    webSocket.once("close", stopWatching);
  }

  async function upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { user, target } = await authorize(request);
    if (socket.destroyed) return;
    slots.take(user.userName, socket);
    const { id, kind } = target;
    const upstream = await (kind === "vnc" ? deps.agent.openVnc(id) : deps.agent.openSerial(id));
    if (socket.destroyed) return void upstream.connection.destroy();
    socket.once("close", () => upstream.connection.destroy());
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      guard(webSocket, upstream, request, user, id);
      bridge(webSocket, upstream, limits);
    });
  }

  return {
    handleUpgrade(request, socket, head) {
      const refuse = (error: unknown) => {
        if (!socket.writable) return;
        const problem = deps.toProblem(error);
        if (problem.status >= 500) deps.log.warn({ path: request.url, error: messageOf(error) }, "console not opened");
        answerInstead(
          socket,
          problem.status,
          problem,
          error instanceof CumulusError ? error.retryAfterSeconds : undefined,
        );
      };
      // Without a listener, a client that resets the connection while it is checked would end the process.
      socket.on("error", () => socket.destroy());
      if (pending >= limits.maxPending) return refuse(busy());
      pending += 1;
      socket.setKeepAlive(true, limits.pingIntervalMs);
      socket.setTimeout(limits.handshakeTimeoutMs, () => refuse(busy()));
      upgrade(request, socket, head)
        .catch(refuse)
        .finally(() => {
          pending -= 1;
        });
    },
    close() {
      for (const webSocket of webSockets.clients) webSocket.close(closeCodes.restarting, "Cumulus is restarting.");
      webSockets.close();
    },
  };
}

function busy(): CumulusError {
  return new CumulusError("unavailable", "Cumulus is too busy to open a console. Try again in a moment.", {
    retryAfterSeconds: 2,
  });
}
