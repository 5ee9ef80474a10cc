import { crc32, deflateSync } from "node:zlib";

/** A picture of grey values, a byte a pixel. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

const cell = { width: 8, height: 16 };
const columns = 80;
const rows = 30;
const background = 0x18;
const foreground = 0xd0;

/** The last lines of a text as a console of 80 × 30 would show them: one pattern a character, not a font, so that two texts look different. */
export function drawText(text: string): Picture {
  const picture = { width: columns * cell.width, height: rows * cell.height, pixels: new Uint8Array(0) };
  picture.pixels = new Uint8Array(picture.width * picture.height).fill(background);
  const lines = text.split("\n").slice(-rows);
  for (const [row, line] of lines.entries()) {
    for (const [column, character] of [...line.slice(0, columns)].entries()) drawCell(picture, row, column, character);
  }
  return picture;
}

function drawCell(picture: Picture, row: number, column: number, character: string): void {
  if (character <= " ") return;
  let dots = (character.codePointAt(0) ?? 0) + 1;
  for (let dot = 0; dot < 35; dot++) {
    // The minimal standard generator (Park and Miller, 1988): the same dots for the same character.
    dots = (dots * 16_807) % 2_147_483_647;
    if (dots % 2 === 0) continue;
    const x = column * cell.width + 1 + (dot % 5);
    const y = row * cell.height + 4 + Math.floor(dot / 5);
    picture.pixels[y * picture.width + x] = foreground;
  }
}

/** PNG (W3C, third edition) of one grey channel with 8 bits. */
export function encodePng({ width, height, pixels }: Picture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const framed = Buffer.alloc(data.length + 12);
  framed.writeUInt32BE(data.length, 0);
  framed.write(type, 4, "latin1");
  data.copy(framed, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, data.length + 8)), data.length + 8);
  return framed;
}
