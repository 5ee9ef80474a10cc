import { Duplex } from "node:stream";

/** What a terminal may be behind: the whole log and as much again. A slower one is dropped, not waited for. */
const maxBehindBytes = 4 * 1024 * 1024;

export interface TerminalHandlers {
  onInput(chunk: Buffer, done: () => void): void;
  onClose(): void;
}

/** One viewer of a serial port. It never holds up the port or other viewers. */
export class Terminal extends Duplex {
  private hasEnded = false;

  constructor(private readonly handlers: TerminalHandlers) {
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
  }

  show(chunk: Buffer): void {
    if (this.destroyed || this.hasEnded) return;
    this.push(chunk);
    if (this.readableLength > maxBehindBytes) {
      this.destroy(new Error("The terminal read too slowly and was disconnected."));
    }
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.handlers.onInput(chunk, callback);
  }

  override _final(callback: () => void): void {
    this.hasEnded = true;
    this.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.handlers.onClose();
    callback(error);
  }
}
