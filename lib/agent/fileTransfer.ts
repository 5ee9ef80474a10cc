import { type IncomingMessage, request } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { noAnswer } from "./request";
import { fromWire } from "./wireError";

/** A file that an agent sends. */
export interface FileDownload {
  /** 200, 206 for a part, or 416 for a part that isn't there. */
  status: number;
  /** Those that describe the bytes: length, range. */
  headers: Record<string, string>;
  body: IncomingMessage;
}

const describingHeaders = ["content-length", "content-range", "accept-ranges"];

/** Opens a file of the agent's. Nothing of it is read before the caller reads. @param range the `Range` header, or null for all of it */
export async function openFile(socketPath: string, path: string, range: string | null): Promise<FileDownload> {
  const headers = range === null ? {} : { range };
  const body = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath, agent: false, method: "GET", path, headers });
    asked.on("response", resolve).on("error", (error) => reject(noAnswer(error)));
    asked.end();
  });
  const status = body.statusCode ?? 0;
  if (status >= 400 && status !== 416) throw fromWire(status, await textOf(body));
  const said = describingHeaders.flatMap((name) => {
    const value = body.headers[name];
    return typeof value === "string" ? [[name, value]] : [];
  });
  return { status, headers: Object.fromEntries(said), body };
}

/**
 * Sends a stream to the agent as it comes, no faster than the agent takes it. Rejects with what the agent says of it, also when that comes before the
 * stream's end: the rest is then not read. A stream that breaks breaks the request, too.
 */
export async function sendFile(
  socketPath: string,
  path: string,
  body: Readable,
  contentLength: number | null,
): Promise<void> {
  const headers = contentLength === null ? {} : { "content-length": contentLength };
  const sending = request({ socketPath, agent: false, method: "PUT", path, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sending.on("response", resolve).on("error", (error) => reject(noAnswer(error)));
  });
  const sent = pipeline(body, sending);
  // Whichever is first: an answer that comes before the end is a refusal, and an error of the stream ends the request.
  const answer = await Promise.race([answered, sent.then(() => answered)]);
  const text = await textOf(answer);
  if (sending.writableFinished) await sent;
  else sent.catch(() => undefined);
  if ((answer.statusCode ?? 0) >= 400) {
    sending.destroy();
    throw fromWire(answer.statusCode ?? 0, text);
  }
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
