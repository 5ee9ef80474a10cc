import { describe, expect, test } from "vitest";
import type { HostReport } from "../../../lib/domain/host";
import { GIB, MIB } from "../../../lib/domain/units";
import { whyImageDoesNotRun, whyShapeDoesNotFit } from "./fits";

const image = { kind: "disk" as const, title: "Debian 12", minMemoryBytes: 512 * MIB, virtualBytes: 3 * GIB };
const bootable = {
  title: "Debian 12",
  kind: "disk" as const,
  arch: "x86_64" as const,
  firmware: "bios" as const,
  firmwares: [],
};
const host = { name: "local", memoryFreeBytes: 2 * GIB, report: exampleReport({ diskFreeBytes: 20 * GIB }) };

function exampleReport(changes: Partial<HostReport>): HostReport {
  return {
    hostname: "local",
    arch: "x86_64",
    os: "Debian GNU/Linux 12 (bookworm)",
    kernel: "6.1.0",
    accelerator: { kind: "tcg", reason: "There is no /dev/kvm.", cpuModel: "max" },
    network: { driver: "user", reason: "The agent is not root." },
    isPrivileged: false,
    cpuCount: 2,
    memoryTotalBytes: 4 * GIB,
    memoryAvailableBytes: 3 * GIB,
    diskTotalBytes: 40 * GIB,
    diskFreeBytes: 20 * GIB,
    versions: { agent: "0.1.0", node: "20.20.0", qemu: "7.2.0" },
    guestArchs: ["x86_64"],
    degraded: [],
    bootId: "boot",
    startedAt: "2026-01-02T03:04:05.000Z",
    ...changes,
  };
}

describe("what fits", () => {
  test("nothing is said of the memory of a host that has not reported yet", () => {
    const unheard = { ...host, memoryFreeBytes: 0, report: null };
    expect(whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: 3 * GIB }, image, unheard)).toBeUndefined();
  });

  test("a shape that fits has no reason against it", () => {
    expect(whyShapeDoesNotFit({ memoryBytes: 2 * GIB, diskBytes: 3 * GIB }, image, host)).toBeUndefined();
    expect(whyShapeDoesNotFit({ memoryBytes: 64 * GIB, diskBytes: 1 }, undefined, undefined)).toBeUndefined();
  });

  test("what the host hasn't said is no reason", () => {
    expect(
      whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: 80 * GIB }, image, { ...host, report: null }),
    ).toBeUndefined();
  });

  test("an image without its QEMU on the host doesn't run", () => {
    const arm = { ...bootable, arch: "aarch64" as const };
    expect(whyImageDoesNotRun(arm, host)).toContain("no QEMU");
    expect(whyImageDoesNotRun(bootable, host)).toBeUndefined();
    expect(whyImageDoesNotRun(arm, undefined)).toBeUndefined();
  });

  test("an image that boots by UEFI alone doesn't run without that on the host", () => {
    const uefiOnly = { ...bootable, firmware: "uefi" as const };
    const without = { ...host, report: exampleReport({ uefiArchs: [] }) };
    expect(whyImageDoesNotRun(uefiOnly, without)).toContain("no such firmware");
    expect(whyImageDoesNotRun({ ...uefiOnly, firmwares: ["bios", "uefi"] }, without)).toBeUndefined();
    expect(whyImageDoesNotRun(uefiOnly, { ...host, report: exampleReport({ uefiArchs: ["x86_64"] }) })).toBeUndefined();
  });

  test("the reason names what is asked for and what there is", () => {
    expect(whyShapeDoesNotFit({ memoryBytes: 8 * GIB, diskBytes: 4 * GIB }, image, host)).toBe(
      "Needs 8 GiB of memory; 2 GiB is free on local.",
    );
    expect(whyShapeDoesNotFit({ memoryBytes: 256 * MIB, diskBytes: 4 * GIB }, image, host)).toContain("512 MiB");
    expect(whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: GIB }, image, host)).toContain("3 GiB");
    expect(whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: 80 * GIB }, image, host)).toBe(
      "Needs 80 GiB of disk; 20 GiB is free on local.",
    );
    expect(
      whyShapeDoesNotFit({ memoryBytes: GIB, diskBytes: 3 * GIB }, image, { ...host, memoryFreeBytes: -5 }),
    ).toContain("none is free");
  });
});
