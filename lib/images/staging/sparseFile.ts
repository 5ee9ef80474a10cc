import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { Writable } from "node:stream";
import { CumulusError } from "../../domain/errors";
import { formatBytes, KIB, MIB } from "../../domain/units";
import type { ImageLimits } from "./limits";
import { assertSpace } from "./space";

const blockBytes = 64 * KIB;
const zeros = Buffer.alloc(blockBytes);
const spaceEveryBytes = 16 * MIB;

/**
 * Writes a stream to a file with holes where there are zeros, and stops when it becomes larger than it may: a compressed file of a few
 * kilobytes can unpack to terabytes.
 */
export async function openSparseFile(path: string, limits: ImageLimits): Promise<Writable> {
  const handle = await open(path, "w", 0o600);
  return new SparseFile(path, handle, limits);
}

class SparseFile extends Writable {
  private length = 0;
  private allocated = 0;
  private nextSpaceCheck = 0;

  constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly limits: ImageLimits,
  ) {
    super({ highWaterMark: 4 * blockBytes });
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    this.writeBlocks(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.handle.truncate(this.length).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.handle.close().then(() => done(error), done);
  }

  private async writeBlocks(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += blockBytes) {
      const block = chunk.subarray(at, at + blockBytes);
      const isZero = block.equals(zeros.subarray(0, block.length));
      await this.makeRoom(block.length, isZero ? 0 : block.length);
      for (let written = 0; !isZero && written < block.length; ) {
        const position = this.length + written;
        written += (await this.handle.write(block, written, block.length - written, position)).bytesWritten;
      }
      this.length += block.length;
    }
  }

  private async makeRoom(bytes: number, allocatedBytes: number): Promise<void> {
    const { expandedBytes, allocatedBytes: mostAllocated, reserveBytes } = this.limits;
    if (this.length + bytes > expandedBytes) throw bomb(expandedBytes);
    this.allocated += allocatedBytes;
    if (this.allocated > mostAllocated) throw bomb(mostAllocated);
    if (this.allocated < this.nextSpaceCheck) return;
    await assertSpace(dirname(this.path), 0, reserveBytes);
    this.nextSpaceCheck = this.allocated + spaceEveryBytes;
  }
}

function bomb(mostBytes: number): CumulusError {
  return new CumulusError(
    "too_large",
    `The file unpacks to more than ${formatBytes(mostBytes)}, the most that is taken: it may be a trap, or the disk in it is too large.`,
  );
}
