import fc from "fast-check";
import { expect, test } from "vitest";
import { vmNameSchema } from "../../domain/vm";
import { hostnameOf } from "./hostname";

test("the lab's names become hostnames that look like them", () => {
  expect(hostnameOf("my_vm")).toBe("my-vm");
  expect(hostnameOf("My VM (2)")).toBe("my-vm-2");
  expect(hostnameOf("my_vm", 3)).toBe("my-vm-3");
  expect(hostnameOf("машина")).toBe("vm");
  expect(hostnameOf("Gateway")).toBe("gateway-vm");
});

test("any text becomes a valid hostname", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 200 }),
      fc.integer({ min: 1, max: 9999 }),
      (text, number) => vmNameSchema.safeParse(hostnameOf(text, number)).success,
    ),
  );
});
