import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on the loopback that answers each path as a test says; others are 404. It is gone when the test is. */
export async function serveImages(paths: Record<string, Handler>, port = 0) {
  const requests: { path: string; headers: IncomingMessage["headers"] }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, headers: request.headers });
    const handler = paths[path] ?? ((_, response) => response.writeHead(404).end());
    handler(request, response, requests.filter((one) => one.path === path).length);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: taken } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(async () => void (await close()));
  return { host: `127.0.0.1:${taken}`, url: `http://127.0.0.1:${taken}`, port: taken, requests, close };
}

interface FileOptions {
  etag?: string | null;
  /** Bytes after which each answer is cut; as many answers as it has entries, whole ones after. */
  cuts?: number[];
}

/** A file that can be fetched from any byte on, as well-behaved servers do, but for the cuts. */
export function file(content: Buffer, { etag = '"one"', cuts = [] }: FileOptions = {}): Handler {
  return (request, response, count) => {
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const isSame = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
    const from = asked !== undefined && isSame && etag !== null ? Number(asked) : 0;
    const body = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": body.length,
      ...(etag !== null && { etag, "accept-ranges": "bytes" }),
      ...(from > 0 && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    const cut = cuts[count - 1];
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => response.destroy());
  };
}
