import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Carries bytes between a VM's stream and a viewer's connection until either ends, then ends the other. Neither is read faster than the other
 * takes it. A viewer is dropped when bytes wait and none has moved, either way, for `stallAfterMs`.
 */
export function relay(stream: Duplex, connection: Socket, stallAfterMs = 30_000): void {
  connection.setTimeout(stallAfterMs, () => {
    if (connection.writableLength > 0 || stream.writableLength > 0) connection.destroy();
  });
  stream.on("close", () => connection.destroySoon());
  connection.on("close", () => stream.destroy());
  // The viewer has ended, and the VM has what it had sent.
  stream.on("finish", () => stream.destroy());
  stream.pipe(connection).pipe(stream);
  if (connection.destroyed) stream.destroy();
  if (stream.destroyed) connection.destroySoon();
}
