import { expect, test } from "vitest";
import type { Image } from "../../../../lib/domain/image";
import { discWords } from "./discs";

const disc = (id: number, said: Partial<Image> = {}) =>
  ({
    ...{ id, name: "netinst", title: "Netinst", kind: "iso", createdAt: "2026-03-01T12:00:00.000Z" },
    ...{ newerId: null, newerBuild: null, newerBaseId: null },
    ...said,
  }) as Image;

test("of two discs of one name each is told from the other, and the old one is said to be so", () => {
  const old = disc(1, { newerId: 2, createdAt: "2025-01-02T12:00:00.000Z" });
  const all = [old, disc(2), disc(3, { title: "Other" })];
  expect(discWords(old, all)).toMatch(/^Netinst, here since 2 Jan 2025.*, out of date$/);
  expect(discWords(disc(2), all)).toMatch(/^Netinst, here since 1 Mar 2026[^a-z]*$/);
  expect(discWords(disc(3, { title: "Other" }), all)).toBe("Other");
});
