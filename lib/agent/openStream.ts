import { type IncomingMessage, request } from "node:http";
import { fileURLToPath } from "node:url";
import { CumulusError, messageOf } from "../domain/errors";
import { type ByteStream, byteStreamOf, connectByteStream } from "../system/byteStream";
import { byteProtocol } from "./protocol";
import { noAnswer } from "./request";
import { fromWire } from "./wireError";

/**
 * Opens a byte stream to a VM through the agent, which relays it or hands out the VM's own socket (protocol.ts). Ends when the agent or
 * the VM closes it. Rejects with the error that the agent gave, or `unavailable`.
 */
export async function openStream(socketPath: string, path: string, timeoutMs: number): Promise<ByteStream> {
  const headers = { connection: "Upgrade", upgrade: byteProtocol };
  const sent = request({ socketPath, path, agent: false, headers });
  const late = () => sent.destroy(new Error(`opening ${path} took longer than ${timeoutMs / 1000} s`));
  const deadline = setTimeout(late, timeoutMs);
  try {
    return await new Promise<ByteStream>((resolve, reject) => {
      sent.on("upgrade", (_response, connection, head) => {
        connection.unshift(head);
        resolve(byteStreamOf(connection));
      });
      sent.on("response", (response) => openInstead(response).then(resolve, reject));
      sent.on("error", reject);
      sent.end();
    });
  } catch (error) {
    throw error instanceof CumulusError ? error : noAnswer(error);
  } finally {
    clearTimeout(deadline);
  }
}

/** An answer that isn't the 101: where the socket is, for as long as this answer is open, or why there is none. */
async function openInstead(response: IncomingMessage): Promise<ByteStream> {
  const { location } = response.headers;
  if (location === undefined) throw await readRefusal(response);
  try {
    return await connectByteStream(fileURLToPath(location));
  } catch (error) {
    throw new CumulusError("unavailable", `The VM can't be reached: ${messageOf(error)}`, { cause: error });
  } finally {
    response.destroy();
  }
}

async function readRefusal(response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return fromWire(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"));
}
