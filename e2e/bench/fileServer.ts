import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { parentPort, Worker, workerData } from "node:worker_threads";

const partBytes = 1024 ** 2;

export interface FileServerData {
  kind: "file";
  sizeBytes: number;
}

export interface FileServer {
  url: string;
  close(): Promise<void>;
}

/** Serves one file of that size over HTTP on the loopback, in a thread of its own, so that it takes no time from the client's. */
export async function startFileServer(sizeBytes: number): Promise<FileServer> {
  const data: FileServerData = { kind: "file", sizeBytes };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const [port] = await once(worker, "message");
  return { url: `http://127.0.0.1:${port}/file`, close: async () => void (await worker.terminate()) };
}

/** The other thread of `startFileServer`: says its port when it listens. */
export function serveFile(): void {
  const { sizeBytes } = workerData as FileServerData;
  const part = Buffer.alloc(partBytes, "Cumulus");
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-length": sizeBytes, etag: '"file"' });
    const parts = function* () {
      for (let sent = 0; sent < sizeBytes; sent += partBytes)
        yield part.subarray(0, Math.min(partBytes, sizeBytes - sent));
    };
    pipeline(Readable.from(parts(), { objectMode: false }), response, () => {});
  });
  server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
}
