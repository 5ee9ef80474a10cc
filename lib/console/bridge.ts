import { WebSocket } from "ws";
import { closeCodes } from "../domain/console";
import type { ByteStream } from "../system/byteStream";
import type { ConsoleLimits } from "./limits";

type BridgeLimits = Pick<ConsoleLimits, "stallTimeoutMs" | "pingIntervalMs">;

/**
 * Joins a browser's WebSocket and a VM's console until either ends, and then ends the other. Neither side is read faster than
 * the other takes it:
 *
 *     VM ──▶ what one read brought waits here   ──▶ browser      nothing taken for stallTimeoutMs: cut
 *     VM ◀── the upstream's own small buffer    ◀── browser      full: the browser's socket isn't read
 */
export function bridge(browser: WebSocket, upstream: ByteStream, limits: BridgeLimits): void {
  const { connection } = upstream;
  let isAlive = true;
  let stalled: NodeJS.Timeout | undefined;

  // One message a read. Mostly the kernel takes it whole at once, and the bytes are done with.
  upstream.read((bytes) => {
    if (browser.readyState !== WebSocket.OPEN) return true;
    let isWaiting = false;
    browser.send(bytes, () => {
      isAlive = true;
      if (!isWaiting) return;
      clearTimeout(stalled);
      connection.resume();
    });
    isWaiting = browser.bufferedAmount > 0;
    // A closing handshake would wait behind what isn't read; cutting the socket frees the memory.
    if (isWaiting) stalled = setTimeout(() => browser.terminate(), limits.stallTimeoutMs);
    return !isWaiting;
  });
  connection.on("error", () => browser.close(closeCodes.failed, "The connection to the VM broke."));
  connection.once("close", () => browser.close(closeCodes.ended, "The VM's side of the console has ended."));

  browser.on("message", (data: Buffer, isBinary) => {
    isAlive = true;
    if (!isBinary) return browser.close(closeCodes.binaryOnly, "Send binary messages only.");
    if (connection.writable && !connection.write(data)) browser.pause();
  });
  connection.on("drain", () => browser.resume());

  const pings = setInterval(() => {
    // While the VM takes no input the browser's answers aren't read either; TCP keep-alive watches it then.
    if (!isAlive && !browser.isPaused) return browser.terminate();
    isAlive = false;
    browser.ping();
  }, limits.pingIntervalMs);
  browser.on("pong", () => {
    isAlive = true;
  });

  // A broken frame, a message that is too large or a reset: the WebSocket closes itself next, with the right code.
  browser.on("error", () => {});
  browser.once("close", () => {
    clearInterval(pings);
    clearTimeout(stalled);
    connection.destroy();
  });
}
