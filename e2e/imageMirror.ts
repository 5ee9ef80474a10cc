import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How much is sent at a time. */
const chunkBytes = 64 * 1024;
const chunksPerSecond = 20;

export interface ImageMirror {
  /** For CUMULUS_IMAGE_MIRROR. */
  url: string;
  /** From which byte on each request for the image asked. */
  startBytes: number[];
  /** From now on answers stop after this many bytes, until `mend`. */
  breakAfter(bytes: number): void;
  /** Cuts all connections. */
  cut(): void;
  mend(): void;
  /** From now on its maker publishes another build, or null: none. */
  publish(build: Buffer | null): void;
  close(): Promise<void>;
}

/**
 * A mirror on the loopback that has one image of the catalogue, with the list of checksums that its maker publishes beside it (SHA256SUMS). It sends slowly
 * enough for progress to be seen, and breaks off where it is told to.
 * @param published the maker's address of the image: "https://host/path"
 */
export async function startImageMirror(published: string, firstBuild: Buffer): Promise<ImageMirror> {
  const { host, pathname } = new URL(published);
  const imagePath = `/${host}${pathname}`;
  const sumsPath = imagePath.replace(/[^/]+$/, "SHA256SUMS");
  let build: Buffer | null = firstBuild;
  const sumsOf = (image: Buffer) => `${createHash("sha256").update(image).digest("hex")} *${basename(pathname)}\n`;
  const startBytes: number[] = [];
  let limit = Number.POSITIVE_INFINITY;

  async function sendImage(image: Buffer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    startBytes.push(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": image.length - start,
      "accept-ranges": "bytes",
      etag: `"${createHash("sha256").update(image).digest("hex")}"`,
      ...(start > 0 && { "content-range": `bytes ${start}-${image.length - 1}/${image.length}` }),
    });
    for (let at = start; at < image.length && !response.destroyed; at += chunkBytes) {
      if (at - start >= limit) return void response.destroy();
      response.write(image.subarray(at, at + chunkBytes));
      await delay(1000 / chunksPerSecond);
    }
    response.end();
  }

  const server = createServer((request, response) => {
    if (build && request.url === sumsPath) response.end(sumsOf(build));
    else if (build && request.url === imagePath) void sendImage(build, request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    startBytes,
    breakAfter: (bytes) => {
      limit = bytes;
    },
    cut: () => server.closeAllConnections(),
    mend: () => {
      limit = Number.POSITIVE_INFINITY;
    },
    publish: (newest) => {
      build = newest;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
