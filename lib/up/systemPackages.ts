import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import type { Arch } from "../domain/arch";
import { miniPrerequisites } from "../images/mini/prerequisites";

const qemuPackages: Record<Arch, string[]> = {
  // The last for VMs that boot by UEFI.
  x86_64: ["qemu-system-x86", "qemu-utils", "ovmf"],
  // Its virtual machines have no BIOS: they boot by UEFI.
  aarch64: ["qemu-system-arm", "qemu-utils", "qemu-efi-aarch64"],
};

/** For networks on bridges, which only an agent that is root can have. */
const bridgePackages = ["iproute2", "nftables", "dnsmasq-base"];

/** What the tests need beside Cumulus itself: browsers, clients, and all that an image's making may have installed when it is asked for. */
const testPackages = [
  ...["fonts-dejavu-core", "openssh-client", "python3", "strace", "xorriso"],
  ...["curl", "jq", "procps", "socat"],
  // Firewalls and a client of other makers than those that Cumulus deals with itself.
  ...["iptables", "isc-dhcp-client"],
  ...["guestfish", "libguestfs-tools", "restic"],
  ...["mmdebstrap", "debian-archive-keyring", "guestfs-tools", "qemu-system-arm", "qemu-efi-aarch64"],
];
/** Debian's browser; Ubuntu's package of it only leads to a snap. */
const debianBrowser = "chromium";

/** Packages of Debian or Ubuntu without which no VM runs, and as root none on a bridge. */
export function neededPackages(arch: Arch, isRoot: boolean): string[] {
  return [...qemuPackages[arch], "genisoimage", "util-linux", ...(isRoot ? bridgePackages : [])];
}

/**
 * Packages of Debian or Ubuntu that are missing on this computer: for running, for the built-in image, and for the tests if asked. Empty where
 * there is no apt.
 */
export async function missingPackages(arch: Arch, options: { forTests: boolean }): Promise<string[]> {
  if (!existsSync("/usr/bin/apt-get")) return [];
  const wanted = neededPackages(arch, process.getuid?.() === 0);
  if (options.forTests) wanted.push(...testPackages, ...((await isUbuntu()) ? [] : [debianBrowser]));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are dpkg-query's placeholders
  const format = "${Package} ${db:Status-Status}\n";
  const { stdout } = await execa("dpkg-query", ["--show", `--showformat=${format}`, ...wanted], { reject: false });
  const lines = new Set(stdout.split("\n"));
  const prerequisites = await miniPrerequisites(arch);
  const forImage = prerequisites.ok ? [] : prerequisites.aptPackages;
  return [...new Set([...wanted.filter((name) => !lines.has(`${name} installed`)), ...forImage])];
}

async function isUbuntu(): Promise<boolean> {
  return /^ID=ubuntu$/m.test(await readFile("/etc/os-release", "utf8"));
}
