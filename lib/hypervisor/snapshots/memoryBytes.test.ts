import { beforeEach, expect, test, vi } from "vitest";
import { GIB, MIB } from "../../domain/units";
import { copiedBytes, mostBytes, onceBytes } from "./memoryBytes";

const host = vi.hoisted(() => ({ whyMemoryStops: null as string | null }));
vi.mock("./userfaultfd", () => ({ whyMemoryStopsGuests: async () => host.whyMemoryStops }));
beforeEach(() => {
  host.whyMemoryStops = null;
});

const context = { copiesMemoryAboveBytes: GIB };
const guest = { arch: "x86_64", memoryBytes: GIB } as const;
const large = { arch: "x86_64", memoryBytes: 4 * GIB } as const;

test.each([
  ["x86_64", 32],
  ["aarch64", 400],
] as const)(
  "memory that is written once takes its pages with their headers, and what a machine of %s has",
  (arch, own) => {
    const pages = (GIB + own * MIB) / 4096;
    expect(onceBytes({ arch, memoryBytes: GIB })).toBe(pages * (4096 + 32));
  },
);

test("memory that is copied while the guest runs takes at most twice as much, and what comes between two looks", () => {
  expect(copiedBytes(large)).toBe(2 * onceBytes(large) + 256 * MIB);
});

test("what is told is the most of the way that the host has for the guest", async () => {
  expect(await mostBytes(context, guest)).toBe(onceBytes(guest));
  expect(await mostBytes(context, large)).toBe(copiedBytes(large));
  host.whyMemoryStops = "It may not.";
  expect(await mostBytes(context, guest)).toBe(copiedBytes(guest));
});
