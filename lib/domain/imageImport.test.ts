import { expect, test } from "vitest";
import { checksumSchema, imageDownloadKey, imageDownloadSchema } from "./imageImport";

const image = { name: "a", arch: "x86_64", firmwares: ["bios"] };
const keyOf = (request: object) => imageDownloadKey(imageDownloadSchema.parse(request));
const byUrl = (url: string, more: object = {}) => keyOf({ from: "url", url, image, ...more });

test("two requests for one image of the catalogue are one download", () => {
  const key = keyOf({ from: "catalogue", catalogueId: "debian-13-x86_64" });
  expect(keyOf({ from: "catalogue", catalogueId: "debian-13-x86_64" })).toBe(key);
  expect(keyOf({ from: "catalogue", catalogueId: "debian-13-aarch64" })).not.toBe(key);
});

test("two requests for one address and one image are one download, however the address is written", () => {
  const key = byUrl("https://example.org/a.qcow2");
  expect(byUrl(" HTTPS://EXAMPLE.org:443/x/../a.qcow2#top")).toBe(key);
  expect(byUrl("https://example.org/a.qcow2", { image: { ...image, name: "b" } }), "nobody's wish is lost").not.toBe(
    key,
  );
  expect(byUrl("https://example.org/b.qcow2")).not.toBe(key);
  expect(byUrl("https://example.org/a.qcow2", { checksum: `sha256:${"0".repeat(64)}` })).not.toBe(key);
  expect(byUrl("no address")).toContain("no address");
});

test("checksums name their algorithm and have its length", () => {
  expect(checksumSchema.parse(` SHA256:${"A".repeat(64)}\n`)).toBe(`sha256:${"a".repeat(64)}`);
  for (const text of [
    "a".repeat(64),
    `sha256:${"a".repeat(63)}`,
    `sha512:${"a".repeat(64)}`,
    `md5:${"a".repeat(32)}`,
  ]) {
    expect(checksumSchema.safeParse(text).success, text).toBe(false);
  }
});
