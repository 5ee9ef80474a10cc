import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocket } from "ws";
import { maxBodyBytes } from "./protocol";
import { noAnswer } from "./request";
import { fromWire } from "./wireError";

/**
 * Opens a byte stream to a VM through the agent. Ends when the agent or the VM closes it; isn't read from the agent faster than
 * its reader reads. Rejects with the error that the agent gave, or `unavailable`.
 */
export async function openStream(socketPath: string, path: string, timeoutMs: number): Promise<Duplex> {
  const socket = new WebSocket(`ws+unix:${socketPath}:${path}`, {
    handshakeTimeout: timeoutMs,
    maxPayload: maxBodyBytes,
    perMessageDeflate: false,
  });
  // Made at once: the first bytes may come together with the handshake's answer.
  const stream = createWebSocketStream(socket, { allowHalfOpen: false });
  return await new Promise<Duplex>((resolve, reject) => {
    const onError = (error: Error) => reject(noAnswer(error));
    stream.on("error", onError);
    socket.on("unexpected-response", async (_request, response) => {
      await readRefusal(response).then(reject, onError);
      socket.terminate();
    });
    socket.on("open", () => {
      stream.off("error", onError);
      resolve(stream);
    });
  });
}

async function readRefusal(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return fromWire(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"));
}
