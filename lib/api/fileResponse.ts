import { Readable } from "node:stream";
import { lengthHeader } from "./contentLength";

/** A file as a host begins to send it. */
interface HostFile {
  status: number;
  /** Those that describe the bytes: length, range. */
  headers: Record<string, string>;
  body: Readable;
}

/**
 * A host's file as an answer that the browser saves. Read no faster than the client reads.
 * @param fileName ASCII letters, digits, dots, dashes and underscores stay; others become dashes
 */
export function fileResponse({ status, headers, body }: HostFile, fileName: string): Response {
  const length = headers["content-length"];
  const name = fileName.replace(/[^A-Za-z0-9._-]+/g, "-");
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, {
    status,
    headers: {
      ...headers,
      ...(length !== undefined && { [lengthHeader]: length }),
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
