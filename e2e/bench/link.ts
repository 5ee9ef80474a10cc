import { createConnection } from "node:net";
import { WebSocket } from "ws";

/** A connection that carries bytes, by whichever protocol: so that one client measures all ways to a VM's screen. */
export interface Link {
  send(bytes: Buffer): void;
  /** Stops reading, as a browser whose page hangs does. */
  pause(): void;
  close(): void;
}

type OnBytes = (bytes: Buffer) => void;

/** Straight to a unix socket: what there is to gain at most. */
export function openUnixLink(path: string, onBytes: OnBytes): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.setNoDelay(true);
    socket.on("data", onBytes);
    socket.on("error", reject);
    socket.on("connect", () => {
      resolve({
        send: (bytes) => void socket.write(bytes),
        pause: () => socket.pause(),
        close: () => socket.destroy(),
      });
    });
  });
}

/** @param headers of the request, such as `authorization` */
export function openWebSocketLink(url: string, headers: Record<string, string>, onBytes: OnBytes): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ["binary"], { headers, perMessageDeflate: false });
    socket.on("message", (data: Buffer) => onBytes(data));
    socket.on("error", reject);
    socket.on("open", () => {
      resolve({
        send: (bytes) => socket.send(bytes),
        pause: () => socket.pause(),
        close: () => socket.terminate(),
      });
    });
  });
}
