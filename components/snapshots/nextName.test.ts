import { expect, test } from "vitest";
import { vmNameSchema } from "../../lib/domain/vm";
import { nextName } from "./nextName";

test("goes on from the number that the name ends with, past those that are taken", () => {
  expect(nextName("web", new Set(["web"]))).toBe("web-2");
  expect(nextName("web-2", new Set(["web-3"]))).toBe("web-4");
});

test("is a host name, also after one of full length", () => {
  expect(vmNameSchema.safeParse(nextName("x".repeat(63), new Set())).success).toBe(true);
});
