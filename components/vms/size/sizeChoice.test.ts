import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizes } from "../../../lib/domain/size";
import { GIB, MIB, parseBytes } from "../../../lib/domain/units";
import { byteText, customOf, type SizeChoice, shapeOf, sizeRequestOf } from "./sizeChoice";

const custom = { vcpus: "2", memory: "1.5 GiB", disk: "12G" };

describe("a chosen size", () => {
  test("has quantities, and half typed ones have none", () => {
    expect(shapeOf({ size: "small", custom }, sizes)).toMatchObject({ vcpus: 1, memoryBytes: GIB });
    expect(shapeOf({ size: null, custom }, sizes)).toEqual({ vcpus: 2, memoryBytes: 1536 * MIB, diskBytes: 12 * GIB });
    for (const half of [{ memory: "" }, { disk: "12X" }, { vcpus: "two" }, { vcpus: "1.5" }]) {
      expect(shapeOf({ size: null, custom: { ...custom, ...half } }, sizes)).toBeNull();
    }
    expect(shapeOf({ size: "gone", custom }, sizes)).toBeNull();
  });

  test("asks by name, or by its values", () => {
    expect(sizeRequestOf({ size: "small", custom })).toEqual({ size: "small" });
    expect(sizeRequestOf({ size: null, custom })).toEqual({ vcpus: 2, memory: "1.5 GiB", disk: "12G" });
  });

  test("becomes custom values without a change", () => {
    for (const size of sizes) {
      const choice: SizeChoice = { size: null, custom: customOf(size) };
      const { name: _name, ...shape } = size;
      expect(shapeOf(choice, sizes)).toEqual(shape);
    }
  });

  test("any number of bytes is written so that it is read as the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 46 }), (bytes) => {
        expect(parseBytes(byteText(bytes))).toBe(bytes);
      }),
    );
    expect(byteText(512 * MIB)).toBe("512M");
    expect(byteText(10 * GIB)).toBe("10G");
  });
});
