import { expect, test } from "vitest";
import { assertSelfContained, parseQcow2Header } from "./qcow2";

/** A version 3 header (docs/interop/qcow2.txt in QEMU) with some fields set. */
function header(change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(112);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(3, 4);
  bytes.writeBigUInt64BE(1n << 30n, 24);
  change(bytes);
  return bytes;
}

test("a whole image is accepted, with its size", () => {
  const parsed = parseQcow2Header(header());
  expect(parsed).toMatchObject({ version: 3, virtualBytes: 2 ** 30 });
  expect(() => assertSelfContained(parsed)).not.toThrow();
});

test("an image that leads to another file of the host is refused", () => {
  const refusals: [string, (bytes: Buffer) => void][] = [
    ["backing file", (bytes) => bytes.writeBigUInt64BE(112n, 8)],
    ["backing file", (bytes) => bytes.writeUInt32BE(20, 16)],
    ["another file", (bytes) => bytes.writeBigUInt64BE(1n << 2n, 72)],
    ["encrypted", (bytes) => bytes.writeUInt32BE(2, 32)],
  ];
  for (const [why, change] of refusals) {
    expect(() => assertSelfContained(parseQcow2Header(header(change)))).toThrow(why);
  }
});

test("what isn't qcow2, or is of a kind not known, is refused", () => {
  expect(() => parseQcow2Header(Buffer.from("MZ"))).toThrow("not in qcow2 format");
  expect(() => parseQcow2Header(header((bytes) => bytes.writeUInt32BE(4, 4)))).toThrow("version 4");
  expect(() => parseQcow2Header(header((bytes) => bytes.writeBigUInt64BE(1n << 9n, 72)))).toThrow("not known");
  expect(() => parseQcow2Header(header().subarray(0, 90))).toThrow("cut short");
});
