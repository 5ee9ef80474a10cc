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
 * @param fileName as it is saved; older clients get it with dashes for all but ASCII letters, digits, dots, dashes and underscores
 */
export function fileResponse({ status, headers, body }: HostFile, fileName: string): Response {
  const length = headers["content-length"];
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, {
    status,
    headers: {
      ...headers,
      ...(length !== undefined && { [lengthHeader]: length }),
      "content-type": "application/octet-stream",
      "content-disposition": attachmentOf(fileName),
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

/** RFC 6266; the name itself as RFC 8187 encodes it. */
function attachmentOf(fileName: string): string {
  const plain = fileName.replace(/[^A-Za-z0-9._-]+/g, "-");
  if (plain === fileName) return `attachment; filename="${plain}"`;
  const encoded = [...Buffer.from(fileName)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[\w.-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded.join("")}`;
}
