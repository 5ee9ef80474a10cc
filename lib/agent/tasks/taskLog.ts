import { appendFile, open } from "node:fs/promises";
import { isErrno } from "../../system/files";

/** What one task may say. A tool that repeats itself for ever must not fill the disk. */
const maxLogBytes = 4 * 1024 * 1024;
/** What one request reads of it. */
const maxReadBytes = 256 * 1024;

/** The lines that a task said, in a file. Lines are written in the order in which they were said. */
export class TaskLog {
  private writtenBytes = 0;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly path: string) {}

  /** @param line one line, without its end; what ends lines in it makes several */
  add(line: string): void {
    if (this.writtenBytes > maxLogBytes) return;
    const text = `${line.replace(/\s+$/, "")}\n`;
    this.writtenBytes += Buffer.byteLength(text);
    const isFull = this.writtenBytes > maxLogBytes;
    const said = isFull ? `${text}… more was said than is kept\n` : text;
    // A full disk must not end the work: the log is the lesser loss.
    this.writing = this.writing.then(() => appendFile(this.path, said, { mode: 0o600 })).catch(() => undefined);
  }

  /** Done when all that was said before is in the file. */
  settled(): Promise<void> {
    return this.writing;
  }
}

/** A piece of a log from a byte on, cut after a line's end. Empty when there is no more, or no log. */
export async function readTaskLog(path: string, offset: number): Promise<{ text: string; nextOffset: number }> {
  const handle = await open(path, "r").catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  });
  if (handle === null) return { text: "", nextOffset: offset };
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxReadBytes), 0, maxReadBytes, offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf("\n") + 1;
    return { text: buffer.toString("utf8", 0, end), nextOffset: offset + end };
  } finally {
    await handle.close();
  }
}
