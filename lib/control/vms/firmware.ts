import type { Arch, Firmware } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { HostReport } from "../../domain/host";
import { firmwaresOf, type ImageManifest } from "../../domain/image";

type BootableImage = Pick<ImageManifest, "name" | "kind" | "arch" | "firmware" | "firmwares">;

/** What a VM boots with. @param vm with null where its image says it @param image that it was made from */
export function firmwareOf(vm: { firmware: Firmware | null }, image: Pick<ImageManifest, "firmware">): Firmware {
  return vm.firmware ?? image.firmware;
}

/** What a new VM of an image is to boot with. @throws `bad_request` for what the image doesn't boot with */
export function resolveFirmware(image: BootableImage, wanted: Firmware | undefined): Firmware {
  const able = firmwaresOf(image);
  if (wanted === undefined) return able.includes(image.firmware) ? image.firmware : (able[0] ?? image.firmware);
  if (able.includes(wanted)) return wanted;
  const message = `${image.name} (${image.arch}) boots by ${able.map(nameOf).join(" or ")}, not by ${nameOf(wanted)}.`;
  throw new CumulusError("bad_request", message, { fields: { firmware: message } });
}

const qemuPackages: Record<Arch, string> = { x86_64: "qemu-system-x86", aarch64: "qemu-system-arm" };
const uefiPackages: Record<Arch, string> = { x86_64: "ovmf", aarch64: "qemu-efi-aarch64" };

interface GuestHost {
  name: string;
  report: Pick<HostReport, "guestArchs" | "uefiArchs">;
}

/** What a host lacks to run a guest, and how to get it; null when it lacks nothing. */
export function lackFor(
  { name, report: { guestArchs, uefiArchs } }: GuestHost,
  arch: Arch,
  firmware: Firmware,
): { field: "image" | "firmware"; message: string } | null {
  const install = (packages: string) => `On Debian or Ubuntu: apt install ${packages}`;
  if (!guestArchs.includes(arch)) {
    const packages = arch === "aarch64" ? `${qemuPackages[arch]} ${uefiPackages[arch]}` : qemuPackages[arch];
    return { field: "image", message: `${name} has no QEMU for ${arch} guests. ${install(packages)}` };
  }
  // A report of an earlier version doesn't say; the host itself then refuses to start the VM.
  if (firmware !== "uefi" || uefiArchs === undefined || uefiArchs.includes(arch)) return null;
  return {
    field: "firmware",
    message: `${name} has no UEFI firmware for ${arch} guests. ${install(uefiPackages[arch])}`,
  };
}

/** Refuses a guest for which the host lacks QEMU or firmware. @throws `bad_request` with what to install */
export function admitGuest(host: GuestHost, arch: Arch, firmware: Firmware): void {
  const lack = lackFor(host, arch, firmware);
  if (lack !== null) throw new CumulusError("bad_request", lack.message, { fields: { [lack.field]: lack.message } });
}

function nameOf(firmware: Firmware): string {
  return firmware.toUpperCase();
}
