import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { CumulusError } from "../domain/errors";

/**
 * The file that a request's body is, to be read as it comes. The type keeps other sites' forms out, as JSON's does elsewhere.
 * @throws `bad_request`
 */
export function requestFile(request: Request): { body: Readable; contentLength: number | null } {
  const contentType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (contentType !== "application/octet-stream") {
    throw new CumulusError("bad_request", "Send the file's bytes, with `content-type: application/octet-stream`.");
  }
  if (!request.body) throw new CumulusError("bad_request", "The request has no body: send the file's bytes.");
  const length = request.headers.get("content-length");
  return {
    body: Readable.fromWeb(request.body as ReadableStream),
    contentLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null,
  };
}
