import { access, stat } from "node:fs/promises";
import type { Arch, Firmware } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import { formatBytes } from "../../domain/units";

export interface UefiFirmware {
  code: string;
  /** Empty variables, to be copied for each VM. */
  varsTemplate: string;
}

/** Where distributions put EDK II, the first that is there wins. */
const places: Record<Arch, UefiFirmware[]> = {
  x86_64: [
    { code: "/usr/share/OVMF/OVMF_CODE_4M.fd", varsTemplate: "/usr/share/OVMF/OVMF_VARS_4M.fd" },
    { code: "/usr/share/OVMF/OVMF_CODE.fd", varsTemplate: "/usr/share/OVMF/OVMF_VARS.fd" },
    { code: "/usr/share/edk2/ovmf/OVMF_CODE.fd", varsTemplate: "/usr/share/edk2/ovmf/OVMF_VARS.fd" },
    ...["/opt/homebrew/share/qemu", "/usr/local/share/qemu"].map((folder) => ({
      code: `${folder}/edk2-x86_64-code.fd`,
      varsTemplate: `${folder}/edk2-i386-vars.fd`,
    })),
  ],
  aarch64: [
    { code: "/usr/share/AAVMF/AAVMF_CODE.fd", varsTemplate: "/usr/share/AAVMF/AAVMF_VARS.fd" },
    {
      code: "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
      varsTemplate: "/usr/share/edk2/aarch64/vars-template-pflash.raw",
    },
    ...["/opt/homebrew/share/qemu", "/usr/local/share/qemu"].map((folder) => ({
      code: `${folder}/edk2-aarch64-code.fd`,
      varsTemplate: `${folder}/edk2-arm-vars.fd`,
    })),
  ],
};

/** The UEFI for a VM, or null for one that boots by BIOS. The `virt` machine of aarch64 has no BIOS. */
export async function findFirmware(arch: Arch, firmware: Firmware): Promise<UefiFirmware | null> {
  if (firmware === "bios" && arch === "x86_64") return null;
  const found = await findUefi(arch);
  if (found) return found;
  const debianPackage = arch === "x86_64" ? "ovmf" : "qemu-efi-aarch64";
  throw new CumulusError(
    "unavailable",
    `This VM boots by UEFI, and no UEFI firmware for ${arch} is installed on the host. On Debian or Ubuntu: apt install ${debianPackage}`,
  );
}

/**
 * Why variables that were kept elsewhere, or with another version of the firmware, are none of this one, as a part of a sentence: it finds them by their
 * place. Null when they are.
 */
export async function whyVarsDontFit({ varsTemplate }: UefiFirmware, vars: string): Promise<string | null> {
  const [wanted, given] = await Promise.all([stat(varsTemplate), stat(vars)]);
  if (wanted.size === given.size) return null;
  return `the UEFI variables take ${formatBytes(given.size)}, and those of this host's firmware ${formatBytes(wanted.size)}: they are of another one`;
}

/** Whether guests of an architecture can boot by UEFI on this host. */
export async function hasUefi(arch: Arch): Promise<boolean> {
  return (await findUefi(arch)) !== undefined;
}

async function findUefi(arch: Arch): Promise<UefiFirmware | undefined> {
  for (const place of places[arch]) {
    if ((await isReadable(place.code)) && (await isReadable(place.varsTemplate))) return place;
  }
  return undefined;
}

async function isReadable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
