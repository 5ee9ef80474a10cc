import { expect, test } from "vitest";
import type { Image } from "../../../lib/domain/image";
import { defaultBase } from "./defaultBase";

const image = (id: number, name: string, source: object, arch = "x86_64") =>
  ({ id, name, source, arch, newerId: null, createdAt: "2026-01-01T00:00:00.000Z" }) as Image;
const own = image(1, "berlin", { type: "recipe", recipe: "berlin" });
const other = image(2, "bonn", { type: "recipe", recipe: "bonn" });
const foreign = image(3, "debian-12", { type: "built" }, "aarch64");
const mini = image(4, "mini", { type: "built" });

test("a recipe starts from what it names, else from what others made, and never from what it made itself", () => {
  const recipe = { name: "berlin" };
  expect(defaultBase([own, other, foreign, mini], { ...recipe, base: "bonn" }, "x86_64")).toBe(other);
  expect(defaultBase([own, other, foreign, mini], { ...recipe, base: "gone" }, "x86_64")).toBe(mini);
  expect(defaultBase([own, other, foreign], recipe, "x86_64")).toBe(other);
  expect(defaultBase([own], { ...recipe, base: "berlin" }, "x86_64")).toBeUndefined();
});
