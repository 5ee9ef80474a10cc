import * as z from "zod";

/** Guest architectures, as QEMU's binaries name them. */
export const archSchema = z.enum(["x86_64", "aarch64"]).meta({ id: "Arch" });
export type Arch = z.infer<typeof archSchema>;

export const firmwareSchema = z.enum(["bios", "uefi"]).meta({ id: "Firmware" });
export type Firmware = z.infer<typeof firmwareSchema>;

/** Node's `process.arch` in QEMU's words; undefined where Cumulus has no guest for it. */
export function archOfNode(nodeArch: string): Arch | undefined {
  if (nodeArch === "x64") return "x86_64";
  if (nodeArch === "arm64") return "aarch64";
  return undefined;
}
