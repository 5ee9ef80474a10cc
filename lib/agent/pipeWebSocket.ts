import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";

/** What may wait for a peer that doesn't read before its source is paused. */
const maxWaitingBytes = 1024 * 1024;
/** A large message is written in pieces, so that progress is seen. */
const pieceBytes = 16 * 1024;
/** After this long without progress a WebSocket whose other side stands still is dropped. */
const defaultStallAfterMs = 30_000;

/**
 * Carries bytes between a WebSocket and a stream, as binary messages, until one of them closes; then closes the other. Neither
 * is read faster than the other one takes it: what waits is bounded.
 */
export function pipeWebSocket(socket: WebSocket, stream: Duplex, { stallAfterMs = defaultStallAfterMs } = {}): void {
  const timers = [fromStream(stream, socket, stallAfterMs), toStream(socket, stream, stallAfterMs)];
  stream.on("end", () => socket.close(1001));
  stream.on("error", (error) => socket.close(1011, closeReason(error)));
  stream.on("close", () => socket.close(1001));
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    for (const timer of timers) timer.clear();
    stream.destroy();
  });
  if (stream.destroyed) socket.close(1001);
}

function fromStream(stream: Duplex, socket: WebSocket, stallAfterMs: number): StallTimer {
  const stall = stallTimer(() => socket.terminate(), stallAfterMs);
  const onSent = () => {
    stall.progress();
    if (!stream.isPaused() || socket.bufferedAmount > maxWaitingBytes) return;
    stall.clear();
    stream.resume();
  };
  stream.on("data", (chunk: Buffer) => {
    socket.send(chunk, onSent);
    if (socket.bufferedAmount <= maxWaitingBytes) return;
    stream.pause();
    stall.start();
  });
  return stall;
}

function toStream(socket: WebSocket, stream: Duplex, stallAfterMs: number): StallTimer {
  const stall = stallTimer(() => socket.terminate(), stallAfterMs);
  const pieces: Buffer[] = [];
  let isWriting = false;
  const writeNext = () => {
    const piece = pieces.shift();
    if (piece) {
      stream.write(piece, (error) => {
        if (error) return;
        stall.progress();
        writeNext();
      });
    } else {
      isWriting = false;
      stall.clear();
      socket.resume();
    }
  };
  socket.on("message", (data: RawData) => {
    const message = data as Buffer;
    for (let at = 0; at < message.length; at += pieceBytes) pieces.push(message.subarray(at, at + pieceBytes));
    if (isWriting || stream.destroyed) return;
    isWriting = true;
    socket.pause();
    stall.start();
    writeNext();
  });
  return stall;
}

type StallTimer = ReturnType<typeof stallTimer>;

function stallTimer(onStall: () => void, afterMs: number) {
  let timer: NodeJS.Timeout | undefined;
  return {
    start: () => {
      timer ??= setTimeout(onStall, afterMs);
    },
    progress: () => {
      timer?.refresh();
    },
    clear: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** A close frame's reason holds 123 bytes (RFC 6455, section 5.5.1). */
function closeReason(error: Error): string {
  return error.message.replace(/[^\x20-\x7e]/g, "?").slice(0, 123);
}
