import { once } from "node:events";
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Bytes both ways, read by a callback and not by `data` events: one buffer then serves all reads, and nothing is allocated or copied
 * for each.
 */
export interface ByteStream {
  /** To write to and to end it by; ends with `close`. Its `resume` goes on with reading. */
  connection: Duplex;
  /** Starts reading. Call once; until then nothing is read. */
  read(take: TakeBytes): void;
}

/**
 * Is handed what was read. True: the bytes are done with, and the next may overwrite them. False: they are kept as they are, and nothing is
 * read, until `connection.resume()`.
 */
export type TakeBytes = (bytes: Buffer) => boolean;

/** The most that one read brings. Larger reads are fewer system calls and wake-ups; beyond this no gain was measured. */
const readBytes = 256 * 1024;

/** Connects to a unix socket. Rejects with the system's error. */
export async function connectByteStream(path: string): Promise<ByteStream> {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  let take: TakeBytes = () => false;
  const callback = (count: number) => take(buffer.subarray(0, count));
  const connection = createConnection({ path, onread: { buffer, callback } });
  connection.pause();
  await once(connection, "connect");
  return {
    connection,
    read(taker) {
      take = taker;
      connection.resume();
    },
  };
}

/** The same of a stream that allocates what it reads. */
export function byteStreamOf(connection: Duplex): ByteStream {
  return {
    connection,
    read(take) {
      connection.on("data", (bytes: Buffer) => {
        if (!take(bytes)) connection.pause();
      });
    },
  };
}
