import { expect, test } from "vitest";
import type { Image } from "../../../lib/domain/image";
import { byOrigin, findImage, offeredImages, refOf } from "./imageChoice";

const image = (id: number, name: string, arch: "x86_64" | "aarch64", newerId: number | null = null) =>
  ({ id, name, arch, newerId, createdAt: `2026-01-0${id}T00:00:00.000Z` }) as Image;
const old = image(1, "mini", "x86_64", 2);
const newest = image(2, "mini", "x86_64");
const arm = image(3, "mini", "aarch64");
const armOnly = image(4, "alpine", "aarch64");
const all = [old, newest, arm, armOnly];

test("a name means the newest of the host's architecture, or of the only one", () => {
  expect(findImage(all, "mini", "x86_64")).toBe(newest);
  expect(findImage(all, "mini", "aarch64")).toBe(arm);
  expect(findImage(all, "alpine", "x86_64")).toBe(armOnly);
  expect(findImage(all, 1, "x86_64")).toBe(old);
  expect(findImage(all, "beos", "x86_64")).toBeUndefined();
});

test("a request names an image by its name only where that leads to it", () => {
  expect(refOf(newest, all, "x86_64")).toBe("mini");
  expect(refOf(arm, all, "x86_64")).toBe(3);
  expect(refOf(old, all, "x86_64")).toBe(1);
  for (const each of all) expect(findImage(all, refOf(each, all, "x86_64"), "x86_64")).toBe(each);
});

test("what was made here of other images comes to mind last", () => {
  const from = (id: number, type: Image["source"]["type"]) =>
    ({ ...image(id, "a", "x86_64"), source: { type } }) as Image;
  const images = [from(1, "recipe"), from(2, "upload"), from(3, "vm"), from(4, "built"), from(5, "catalogue")];
  expect(byOrigin(images).map(({ id }) => id)).toEqual([4, 5, 2, 1, 3]);
});

test("an outdated image is offered only when it was asked for", () => {
  expect(offeredImages(all, undefined)).toEqual([newest, arm, armOnly]);
  expect(offeredImages(all, old)).toContain(old);
});
