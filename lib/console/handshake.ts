import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ConsoleKind } from "../domain/console";

/** A console of a VM. */
export interface ConsoleTarget {
  id: number;
  kind: ConsoleKind;
}

/** Which console a path asks for: `/api/vms/{id}/vnc` or `/api/vms/{id}/serial`; null for any other path. Pure. */
export function parseConsolePath(url: string | undefined): ConsoleTarget | null {
  const match = /^\/api\/vms\/([1-9]\d{0,9})\/(vnc|serial)(?:\?|$)/.exec(url ?? "");
  const id = Number(match?.[1]);
  // Larger numbers are no id: the database's integers have 32 bits.
  return match && id < 2 ** 31 ? { id, kind: match[2] as ConsoleKind } : null;
}

/** Answers an upgrade with an ordinary HTTP response and lets go of the connection. */
export function answerInstead(socket: Duplex, status: number, problem: object, retryAfterSeconds?: number): void {
  const body = JSON.stringify(problem);
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (retryAfterSeconds !== undefined) headers.push(`Retry-After: ${retryAfterSeconds}`);
  socket.once("finish", () => socket.destroy());
  socket.end(`${headers.join("\r\n")}\r\n\r\n${body}`);
}
