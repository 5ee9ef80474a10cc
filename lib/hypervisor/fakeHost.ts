import { hostname } from "node:os";
import type { HostReport } from "../domain/host";
import { type ImageManifest, imageManifestSchema } from "../domain/image";
import type { MachineSpec } from "../domain/machine";
import { GIB, MIB } from "../domain/units";
import { fakeNetworkReason } from "./fakeNetworks";

/** The one image that the fake has from the start. */
export const fakeImage: ImageManifest = imageManifestSchema.parse({
  sha256: "0".repeat(64),
  name: "mini",
  title: "Cumulus mini",
  description: "The image of the fake hypervisor: there is nothing in it.",
  arch: "x86_64",
  firmware: "bios",
  fileBytes: 20 * MIB,
  virtualBytes: 256 * MIB,
  minMemoryBytes: 64 * MIB,
  loginUser: "root",
  recipeHash: null,
  // Neither out of date nor newer than one that a test has built.
  createdAt: new Date(Date.now() - 7 * 24 * 60 * 60 * 1000).toISOString(),
});

/** An ISO that it has as well. */
export const fakeIso: ImageManifest = imageManifestSchema.parse({
  ...fakeImage,
  sha256: "1".repeat(64),
  name: "installer",
  title: "Installer CD",
  description: "An ISO of the fake hypervisor: nothing boots from it.",
  kind: "iso",
  firmwares: ["bios", "uefi"],
  fileBytes: 4 * GIB,
  virtualBytes: 4 * GIB,
  source: { type: "upload", fileName: "installer.iso" },
});

/** A computer with more than a test fills. @param driver the networks that it pretends to have @param applied the state of them */
export function fakeHostReport(
  startedAt: string,
  driver: HostReport["network"]["driver"],
  applied: string | null,
): HostReport {
  return {
    hostname: hostname(),
    arch: "x86_64",
    os: "No operating system (fake hypervisor)",
    kernel: "none",
    accelerator: { kind: "tcg", reason: "The fake hypervisor runs no guest.", cpuModel: "max" },
    network: { driver, reason: fakeNetworkReason, applied },
    isPrivileged: false,
    cpuCount: 16,
    memoryTotalBytes: 128 * GIB,
    memoryAvailableBytes: 124 * GIB,
    diskTotalBytes: 1024 * GIB,
    diskFreeBytes: 900 * GIB,
    versions: { agent: "fake", node: process.versions.node, qemu: "none" },
    guestArchs: ["x86_64"],
    uefiArchs: ["x86_64"],
    memorySnapshots: "live",
    degraded: [
      { code: "fake", message: "This host pretends: its VMs boot nothing. Unset CUMULUS_HYPERVISOR for real ones." },
    ],
    bootId: "00000000-0000-4000-8000-000000000000",
    startedAt,
  };
}

/** A VM that the fake host takes; each id has its own uuid and host port. */
export function fakeSpec(id: number, change: Partial<MachineSpec> = {}): MachineSpec {
  return {
    id,
    uuid: `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`,
    arch: "x86_64",
    firmware: "bios",
    vcpus: 1,
    memoryBytes: 256 * MIB,
    disk: { imageSha256: fakeImage.sha256, sizeBytes: 2 * GIB },
    cdrom: null,
    bootFrom: "disk",
    interfaces: [
      {
        id: "net0",
        mac: "52:54:00:00:00:01",
        driver: "user",
        cidr: "192.168.0.0/24",
        gateway: "192.168.0.1",
        dns: "192.168.0.1",
        ipv4: "192.168.0.2",
        sshHostPort: 20_000 + id,
      },
    ],
    seed: {
      metaData: { "instance-id": `i-${id}` },
      userData: { script: "#!/bin/sh\n" },
      networkConfig: { version: 2 },
    },
    ...change,
  };
}
