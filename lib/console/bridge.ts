import { type Duplex, Writable } from "node:stream";
import { WebSocket } from "ws";
import { closeCodes } from "../domain/console";
import type { ConsoleLimits } from "./limits";

type BridgeLimits = Pick<ConsoleLimits, "maxBufferedBytes" | "stallTimeoutMs" | "pingIntervalMs">;

/**
 * Joins a browser's WebSocket and a VM's console until either ends, and then ends the other. Neither side is read faster than
 * the other takes it:
 *
 *     VM ──▶ at most maxBufferedBytes wait here ──▶ browser      nothing taken for stallTimeoutMs: cut
 *     VM ◀── the upstream's own small buffer    ◀── browser      full: the browser's socket isn't read
 */
export function bridge(browser: WebSocket, upstream: Duplex, limits: BridgeLimits): void {
  let isAlive = true;
  let stalled: NodeJS.Timeout | undefined;

  // One frame at a time, so that each write that ends is progress, and a ping waits behind one frame at most.
  const toBrowser = new Writable({
    highWaterMark: limits.maxBufferedBytes,
    write(chunk: Buffer, _encoding, done) {
      if (browser.readyState !== WebSocket.OPEN) return done();
      // A closing handshake would wait behind what isn't read; cutting the socket frees the memory.
      stalled = setTimeout(() => browser.terminate(), limits.stallTimeoutMs);
      browser.send(chunk, () => {
        clearTimeout(stalled);
        isAlive = true;
        done();
      });
    },
  });
  upstream.pipe(toBrowser);
  upstream.on("error", () => browser.close(closeCodes.failed, "The connection to the VM broke."));
  upstream.once("close", () => toBrowser.end());
  toBrowser.once("finish", () => browser.close(closeCodes.ended, "The VM's side of the console has ended."));

  browser.on("message", (data: Buffer, isBinary) => {
    isAlive = true;
    if (!isBinary) return browser.close(closeCodes.binaryOnly, "Send binary messages only.");
    if (upstream.writable && !upstream.write(data)) browser.pause();
  });
  upstream.on("drain", () => browser.resume());

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
    upstream.unpipe(toBrowser);
    toBrowser.destroy();
    upstream.destroy();
  });
}
