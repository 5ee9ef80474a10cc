import type { Link } from "./link";

const rawEncoding = 0;
const silenceMs = 10_000;

/** What has come and was not read yet. */
class ByteReader {
  private chunks: Buffer[] = [];
  private length = 0;
  private wanted: { bytes: number; resolve: () => void } | undefined;

  readonly push = (chunk: Buffer): void => {
    this.chunks.push(chunk);
    this.length += chunk.length;
    if (this.wanted && this.length >= this.wanted.bytes) this.wanted.resolve();
  };

  async read(bytes: number): Promise<Buffer> {
    if (this.length < bytes) {
      await new Promise<void>((resolve, reject) => {
        const silent = () => reject(new Error(`The VNC server sent nothing for ${silenceMs / 1000} s.`));
        const timer = setTimeout(silent, silenceMs);
        const wake = () => {
          clearTimeout(timer);
          resolve();
        };
        this.wanted = { bytes, resolve: wake };
      });
      this.wanted = undefined;
    }
    const [first = Buffer.alloc(0)] = this.chunks;
    const all = first.length >= bytes && this.chunks.length === 1 ? first : Buffer.concat(this.chunks, this.length);
    this.chunks = [all.subarray(bytes)];
    this.length -= bytes;
    return all.subarray(0, bytes);
  }
}

/** A viewer that asks for the whole screen again and again, uncompressed, as fast as it gets it (RFB 3.8, RFC 6143). */
export class RfbScreen {
  private width = 0;
  private height = 0;
  private bytesPerPixel = 4;

  private constructor(
    private readonly link: Link,
    private readonly reader: ByteReader,
  ) {}

  /** @param open connects, handing what comes to its argument */
  static async open(open: (onBytes: (bytes: Buffer) => void) => Promise<Link>): Promise<RfbScreen> {
    const reader = new ByteReader();
    const screen = new RfbScreen(await open(reader.push), reader);
    await screen.shakeHands();
    return screen;
  }

  /** One picture; answers how many bytes its pixels had. */
  async pull(): Promise<number> {
    const request = Buffer.alloc(10);
    request.writeUInt8(3, 0);
    request.writeUInt16BE(this.width, 6);
    request.writeUInt16BE(this.height, 8);
    this.link.send(request);
    const [type] = await this.reader.read(2);
    if (type !== 0) throw new Error(`QEMU sent a message of type ${type} where a picture was asked for.`);
    let pixelBytes = 0;
    const rectangles = (await this.reader.read(2)).readUInt16BE();
    for (let count = 0; count < rectangles; count++) {
      const head = await this.reader.read(12);
      const bytes = head.readUInt16BE(4) * head.readUInt16BE(6) * this.bytesPerPixel;
      await this.reader.read(bytes);
      pixelBytes += bytes;
    }
    return pixelBytes;
  }

  close(): void {
    this.link.close();
  }

  private async shakeHands(): Promise<void> {
    const { link, reader } = this;
    link.send(await reader.read(12));
    const [securityTypes = 0] = await reader.read(1);
    await reader.read(securityTypes);
    link.send(Buffer.from([1]));
    await reader.read(4);
    link.send(Buffer.from([1]));
    const init = await reader.read(24);
    this.width = init.readUInt16BE(0);
    this.height = init.readUInt16BE(2);
    this.bytesPerPixel = init.readUInt8(4) / 8;
    await reader.read(init.readUInt32BE(20));
    const encodings = Buffer.from([2, 0, 0, 1, 0, 0, 0, rawEncoding]);
    link.send(encodings);
  }
}
