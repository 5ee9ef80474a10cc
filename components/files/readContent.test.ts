import { expect, test } from "vitest";
import { maxFileBytes } from "../../lib/domain/fileContent";
import { contentOf, readContent } from "./readContent";

const bytesOf = ({ content, encoding }: ReturnType<typeof contentOf>) => Buffer.from(content, encoding);

test.for<[string, Uint8Array]>([
  ["nothing", new Uint8Array()],
  ["text", Buffer.from("Grüße 🦦\n")],
  ["text with a mark of the byte order", Buffer.from("\ufeffhello")],
])("%s is read as text, byte for byte", ([_what, bytes]) => {
  const content = contentOf(bytes);
  expect(content.encoding).toBeUndefined();
  expect(bytesOf(content)).toEqual(Buffer.from(bytes));
});

test.for<[string, Uint8Array]>([
  ["text with a NUL", Buffer.from("a\0b")],
  ["text whose lines end with CR and LF", Buffer.from("a\r\nb\r\n")],
  ["Latin-1", Buffer.from("Grüße", "latin1")],
  ["every byte", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
  ["the most that there may be", new Uint8Array(maxFileBytes).fill(254)],
])("%s is read as base64, byte for byte", ([_what, bytes]) => {
  const content = contentOf(bytes);
  expect(content.encoding).toBe("base64");
  expect(bytesOf(content).equals(bytes)).toBe(true);
});

test("a file that is too large is refused by its size, unread", async () => {
  const file = new File([new Uint8Array(maxFileBytes + 1)], "disk.img");
  await expect(readContent(file)).rejects.toThrow(
    "disk.img is larger than 256 KiB, the most that a file here may have.",
  );
  expect(await readContent(new File(["hello"], "a.txt"))).toEqual({ content: "hello" });
});

test("a file that is gone when it is read is told by its name", async () => {
  const file = new File(["hello"], "a.txt");
  file.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotFoundError"));
  await expect(readContent(file)).rejects.toThrow("a.txt can't be read: choose it again.");
});
