import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { ChecksumAlgorithm } from "../../domain/catalogue";
import { CumulusError } from "../../domain/errors";
import { formatBytes, MIB } from "../../domain/units";
import type { ImageLimits } from "./limits";
import { assertSpace } from "./space";

/** How often the free space is looked at. */
const spaceEveryBytes = 16 * MIB;
const readBytes = 4 * MIB;

/** A file that comes in from its beginning to its end, hashed and held to its limits as it does. What is there of it already counts. */
export class StagedFile {
  private hash: Hash | null;
  private nextSpaceCheck = 0;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly algorithm: ChecksumAlgorithm | null,
    private readonly limits: Pick<ImageLimits, "fileBytes" | "reserveBytes">,
    private length: number,
  ) {
    this.hash = algorithm && createHash(algorithm);
  }

  static async open(
    path: string,
    algorithm: ChecksumAlgorithm | null,
    limits: Pick<ImageLimits, "fileBytes" | "reserveBytes">,
  ): Promise<StagedFile> {
    const handle = await open(path, "a+", 0o600);
    const staged = new StagedFile(path, handle, algorithm, limits, 0);
    try {
      await staged.readPresent();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return staged;
  }

  get bytes(): number {
    return this.length;
  }

  /** Whether `digest` will tell if all is as it should be. */
  get isHashed(): boolean {
    return this.algorithm !== null;
  }

  /** @throws `too_large`, `insufficient_capacity`; before anything of the chunk is written */
  async append(chunk: Buffer): Promise<void> {
    this.assertFits(this.length + chunk.length);
    if (this.length >= this.nextSpaceCheck) {
      await assertSpace(dirname(this.path), 0, this.limits.reserveBytes);
      this.nextSpaceCheck = this.length + spaceEveryBytes;
    }
    const writing = this.write(chunk);
    // Hashed while it is being written: the one takes this thread's time, the other the kernel's.
    this.hash?.update(chunk);
    await writing;
    this.length += chunk.length;
  }

  /** For a size that is known beforehand: fails now rather than at the end. */
  async assertRoomFor(totalBytes: number): Promise<void> {
    this.assertFits(totalBytes);
    await assertSpace(dirname(this.path), Math.max(0, totalBytes - this.length), this.limits.reserveBytes);
  }

  async restart(): Promise<void> {
    await this.handle.truncate(0);
    this.length = 0;
    this.nextSpaceCheck = 0;
    this.hash = this.algorithm && createHash(this.algorithm);
  }

  /** The hash of all that is there, in hexadecimal digits; null without an algorithm. */
  digest(): string | null {
    return this.hash?.copy().digest("hex") ?? null;
  }

  /** On disk when it resolves, for whoever is told that all has come. */
  async sync(): Promise<void> {
    await this.handle.sync();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async write(chunk: Buffer): Promise<void> {
    for (let written = 0; written < chunk.length; ) {
      written += (await this.handle.write(chunk, written)).bytesWritten;
    }
  }

  private assertFits(bytes: number): void {
    if (bytes <= this.limits.fileBytes) return;
    throw new CumulusError(
      "too_large",
      `The image's file is larger than ${formatBytes(this.limits.fileBytes)}, the most that is taken: compress it, or make its disk smaller.`,
    );
  }

  private async readPresent(): Promise<void> {
    const { size } = await this.handle.stat();
    if (!this.hash) {
      this.length = size;
      return;
    }
    const buffer = Buffer.alloc(Math.min(readBytes, size));
    while (this.length < size) {
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.length);
      if (bytesRead === 0) return;
      this.hash.update(buffer.subarray(0, bytesRead));
      this.length += bytesRead;
    }
  }
}
