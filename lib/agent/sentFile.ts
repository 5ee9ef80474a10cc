import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

/** An answer that is a file's bytes. */
export class SentFile {
  constructor(readonly path: string) {}
}

/** Sends a file, or the part that a `Range` of one piece asks for (RFC 9110, section 14); what else asks for parts gets all of it. */
export async function sendFile(request: IncomingMessage, response: ServerResponse, { path }: SentFile): Promise<void> {
  const { size } = await stat(path);
  const common = { "content-type": "application/octet-stream", "accept-ranges": "bytes" };
  const range = rangeOf(request.headers.range, size);
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...common, "content-range": `bytes */${size}`, "content-length": 0 }).end();
    return;
  }
  if (range === null) {
    response.writeHead(200, { ...common, "content-length": size });
    return pipeline(createReadStream(path), response);
  }
  const { start, end } = range;
  response.writeHead(206, {
    ...common,
    "content-range": `bytes ${start}-${end}/${size}`,
    "content-length": end - start + 1,
  });
  return pipeline(createReadStream(path, { start, end }), response);
}

/** First and last byte; null for the whole file. */
export function rangeOf(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | "unsatisfiable" | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (!match) return null;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return null;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (start >= sizeBytes || (first === "" && Number(last) === 0)) return "unsatisfiable";
  return end < start ? null : { start, end };
}
