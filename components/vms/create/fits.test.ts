import { describe, expect, test } from "vitest";
import { GIB, MIB } from "../../../lib/domain/units";
import { whyShapeDoesNotFit } from "./fits";

const image = { title: "Debian 12", minMemoryBytes: 512 * MIB, virtualBytes: 3 * GIB };
const host = { name: "local", memoryFreeBytes: 2 * GIB };

describe("what fits", () => {
  test("a shape that fits has no reason against it", () => {
    expect(whyShapeDoesNotFit({ memoryBytes: 2 * GIB, diskBytes: 3 * GIB }, image, host)).toBeUndefined();
    expect(whyShapeDoesNotFit({ memoryBytes: 64 * GIB, diskBytes: 1 }, undefined, undefined)).toBeUndefined();
  });

  test("the reason names what is asked for and what there is", () => {
    expect(whyShapeDoesNotFit({ memoryBytes: 8 * GIB, diskBytes: 4 * GIB }, image, host)).toBe(
      "Needs 8 GiB of memory; 2 GiB is free on local.",
    );
    expect(whyShapeDoesNotFit({ memoryBytes: 256 * MIB, diskBytes: 4 * GIB }, image, host)).toContain("512 MiB");
    expect(whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: GIB }, image, host)).toContain("3 GiB");
    expect(
      whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: 3 * GIB }, image, { name: "local", memoryFreeBytes: -5 }),
    ).toContain("none is free");
  });
});
