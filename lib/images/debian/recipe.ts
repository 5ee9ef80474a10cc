import { join } from "node:path";
import { projectDir } from "../../paths";
import { filesUnder, hashOfSources } from "../sourceFiles";

/**
 * What the image `debian-12` is made of. The disk, as partitions (GPT):
 *
 *     1 MiB   BIOS boot   GRUB's core for a BIOS
 *     2 MiB   FAT         GRUB for UEFI
 *    18 MiB   ext4        the root, last so that it can grow
 *
 * Every number that tools would make up is given, so that the same packages give the same bytes.
 */
export const sourceDir = join(projectDir, "lib", "images", "debian");
/** Called by mmdebstrap when the packages are in; it copies `guest` over them. */
export const finishScript = join(sourceDir, "finish");

export const suite = "bookworm";

const MiB = 1024 * 1024;
export const layout = {
  virtualSizeBytes: 2048 * MiB,
  diskUuid: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0012",
  biosBoot: { startBytes: 1 * MiB, sizeBytes: 1 * MiB, uuid: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0112" },
  esp: { startBytes: 2 * MiB, sizeBytes: 16 * MiB, uuid: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0212", volumeId: "c10d0012" },
  root: {
    startBytes: 18 * MiB,
    uuid: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0312",
    hashSeed: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0412",
  },
};

const words = (text: string) => text.trim().split(/\s+/);

/** Beside mmdebstrap's smallest system (`minbase`). */
export const packages = words(`
  systemd-sysv systemd-resolved dbus udev netbase iproute2 iputils-ping tzdata
  linux-image-cloud-amd64 tiny-initramfs grub2-common grub-pc-bin grub-efi-amd64-bin e2fsprogs dosfstools
  openssh-server sudo cloud-init cloud-guest-utils qemu-guest-agent
  ca-certificates curl less vim-tiny
`);

/** Parts of packages that are left out of the image; packages that are installed later are whole. */
export const excludedPaths = words(`
  /usr/share/man/* /usr/share/info/* /usr/share/locale/* /usr/share/doc/* /usr/share/lintian/* /usr/share/bug/*
  /usr/lib/binfmt.d/python*
`);
/** The licences, which must come along. */
export const includedPaths = ["/usr/share/doc/*/copyright"];

/** Stays the same while `debian-12` needs no new build. */
export function debianRecipeHash(): string {
  const shared = ["fileTimes.ts", "sourceFiles.ts"].map((name) => join(projectDir, "lib", "images", name));
  return hashOfSources(suite, [...shared, ...filesUnder(sourceDir)]);
}
