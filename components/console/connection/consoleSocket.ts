import { ApiProblem, apiRequest } from "../../../lib/api/client";
import { type ConsoleKind, closeCodes } from "../../../lib/domain/console";
import type { AttemptEvents } from "./keepConnected";

interface SocketEvents extends Pick<AttemptEvents, "lost" | "denied"> {
  /** The first bytes come no sooner. */
  opened(socket: WebSocket): void;
  /** The connection is over; `lost` or `denied` follows. */
  closed(): void;
}

/** Opens the WebSocket of a VM's console and finds out what its end means. */
export function openConsoleSocket(vmId: number, kind: ConsoleKind, events: SocketEvents): WebSocket {
  const url = new URL(`/api/vms/${vmId}/${kind}`, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, "binary");
  socket.binaryType = "arraybuffer";
  let wasOpen = false;
  socket.addEventListener("open", () => {
    wasOpen = true;
    events.opened(socket);
  });
  socket.addEventListener("close", async ({ code, reason }) => {
    events.closed();
    const denial = code === closeCodes.denied ? reason : wasOpen ? undefined : await denialOf(vmId);
    if (denial === undefined) events.lost();
    else events.denied(denial);
  });
  return socket;
}

/** Browsers don't tell why a handshake was refused. The VM itself, asked for the same right, does. */
async function denialOf(vmId: number): Promise<string | undefined> {
  try {
    await apiRequest("GET", `/api/vms/${vmId}`);
  } catch (error) {
    if (error instanceof ApiProblem && [401, 403, 404].includes(error.status)) return error.detail;
  }
  return undefined;
}
