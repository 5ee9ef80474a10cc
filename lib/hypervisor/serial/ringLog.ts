import { appendFile, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { isErrno } from "../../system/files";

/**
 * The newest bytes of a serial port, in a file that never grows past its cap. A guest can write without end: when the cap is reached, the older
 * half goes. Writes are taken at once and reach the file in the background, in order, in few large pieces.
 */
export class RingLog {
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private work: Promise<void> = Promise.resolve();
  private isWriting = false;
  /** Null: not yet known. */
  private fileBytes: number | null = null;

  /** @param onError a write that failed; its bytes are not kept */
  constructor(
    private readonly path: string,
    private readonly capBytes: number,
    private readonly onError: (error: unknown) => void,
  ) {}

  write(chunk: Buffer): void {
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    if (this.isWriting) return;
    this.isWriting = true;
    void this.queue(async () => {
      this.isWriting = false;
      await this.flush();
    });
  }

  /** Bytes that are yet to be written: who feeds the log should wait when they get many. */
  get backlogBytes(): number {
    return this.waitingBytes;
  }

  /** Resolves when all that was written so far is in the file. */
  async drained(): Promise<void> {
    await this.queue(() => this.flush());
  }

  /**
   * The log so far, handed to `take` in the same turn of the event loop in which it is whole: what is written after that isn't in it,
   * and nothing is missing between.
   */
  async read(take: (log: Buffer) => void): Promise<void> {
    await this.queue(async () => {
      await this.flush();
      const file = await readFile(this.path).catch((error: unknown) => {
        if (!isErrno(error, "ENOENT")) this.onError(error);
        return Buffer.alloc(0);
      });
      take(Buffer.concat([file, ...this.waiting]));
    });
  }

  /** One piece of work after the other; none fails the next. */
  private queue(work: () => Promise<void>): Promise<void> {
    this.work = this.work.then(work).catch(this.onError);
    return this.work;
  }

  private async flush(): Promise<void> {
    if (this.waiting.length === 0) return;
    const bytes = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    this.fileBytes ??= await sizeOf(this.path);
    if (this.fileBytes + bytes.length > this.capBytes) {
      this.fileBytes = await this.keepNewest(bytes);
    } else {
      await appendFile(this.path, bytes, { mode: 0o600 });
      this.fileBytes += bytes.length;
    }
  }

  /** Half of the cap stays, so that this happens seldom. */
  private async keepNewest(bytes: Buffer): Promise<number> {
    const all = Buffer.concat([await tailOf(this.path, this.capBytes), bytes]);
    const kept = all.subarray(Math.max(0, all.length - Math.floor(this.capBytes / 2)));
    const temporary = `${this.path}.tmp`;
    try {
      await writeFile(temporary, kept, { mode: 0o600 });
      await rename(temporary, this.path);
    } finally {
      await rm(temporary, { force: true });
    }
    return kept.length;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return 0;
    throw error;
  }
}

async function tailOf(path: string, maxBytes: number): Promise<Buffer> {
  if ((await sizeOf(path)) === 0) return Buffer.alloc(0);
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
