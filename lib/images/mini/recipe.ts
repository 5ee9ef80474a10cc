import { join } from "node:path";
import type { Arch } from "../../domain/arch";
import { projectDir } from "../../paths";
import { filesUnder, hashOfSources } from "../sourceFiles";

/**
 * What the image `mini` is made of. The disk, as partitions (MBR):
 *
 *     1 MiB  FAT   boot loader, kernel, initramfs
 *    65 MiB  ext4  the root: Debian packages' files, BusyBox as init, our scripts of `guest/root`; grows at boot
 *
 * Every number that tools would make up is given, so that the same packages give the same bytes.
 */
export const sourceDir = join(projectDir, "lib", "images", "mini");
export const guestDir = join(sourceDir, "guest");

const MiB = 1024 * 1024;
export const layout = {
  bootStartBytes: MiB,
  bootSizeBytes: 64 * MiB,
  virtualSizeBytes: 512 * MiB,
  diskId: "0xc10d0001",
  bootVolumeId: "c10d0101",
  rootLabel: "cumulus-root",
  rootUuid: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0301",
  rootHashSeed: "7b4d5a7e-6f0c-4f0e-9d0b-5f1d2c3a0401",
};

/** Debian's and Ubuntu's name of an architecture, and the folder of its libraries. */
export const debArchOf: Record<Arch, string> = { x86_64: "amd64", aarch64: "arm64" };

const words = (text: string) => text.trim().split(/\s+/);

/** Packages whose files make the root, beside the libraries that they depend on. */
export const rootPackages = words(`
  base-passwd bash dropbear-bin e2fsprogs jq libc-bin libpam-modules libpam-modules-bin ncurses-base netbase
  openssh-sftp-server passwd qemu-guest-agent sudo tzdata
`);

/**
 * All of the initramfs' user space and most of the root's. The static build, since its shell runs applets without starting a
 * program: a fifth of the time, which under software emulation is what the boot takes.
 */
export const busyboxPackage = "busybox-static";

/** The kernel for virtual machines, by the distribution's ID of os-release. Debian's for aarch64 knows neither their screen nor USB keyboards. */
export function kernelPackage(distribution: string, arch: Arch): string {
  if (distribution === "ubuntu") return "linux-image-virtual";
  return arch === "x86_64" ? "linux-image-cloud-amd64" : `linux-image-${debArchOf[arch]}`;
}

/** Dependencies that are followed: libraries and the kernel that a meta package stands for. */
export function isFollowed(packageName: string): boolean {
  return (
    /^(lib|zlib|linux-(image|modules)-\d)/.test(packageName) && !/^lib(db5|debian-installer|perl)/.test(packageName)
  );
}

/** Boots the kernel where the firmware is UEFI; a BIOS has syslinux, which is installed into the disk by its own tool. */
export const efiLoaderPackage = "systemd-boot-efi";

/** Modules that the initramfs inserts, in this order; what the kernel has built in is left out. ext4 asks for crc32c without depending on it. */
export const bootModules = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"];

/** Modules in the root, each with those that it depends on; a kernel that lacks one does without. */
export const rootModules = words(`
  virtio_net virtio_rng virtio_console virtio_balloon virtio_input virtio_scsi sd_mod sr_mod button evdev
  virtio_gpu xhci_pci usbhid hid_generic
  isofs vfat nls_ascii nls_cp437 nls_utf8 fuse virtiofs 9p 9pnet_virtio overlay squashfs
  loop dummy tun bridge veth 8021q vxlan wireguard
`);

/** Parts of packages that a running guest does not use; LIBDIR is the folder of the architecture's libraries. */
export const prunedPaths = words(`
  usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/bug usr/share/menu
  usr/share/bash-completion usr/share/initramfs-tools usr/share/gdb usr/share/gcc usr/share/glib-2.0
  usr/share/zoneinfo/right usr/share/zoneinfo/posix
  usr/lib/systemd usr/lib/udev usr/lib/init usr/lib/tmpfiles.d usr/lib/sysusers.d
  usr/lib/LIBDIR/gconv usr/lib/LIBDIR/security/pam_userdb.so
  usr/sbin/ldconfig usr/bin/iconv usr/sbin/iconvconfig usr/bin/localedef usr/sbin/tzconfig
  etc/init.d etc/pam.d etc/cron.d etc/cron.daily etc/default/useradd etc/skel/.bashrc etc/skel/.bash_logout
`);

/** Stays the same while `mini` needs no new build. */
export function miniRecipeHash(arch: Arch): string {
  const shared = ["deb.ts", "fileTimes.ts", "sourceFiles.ts", "tools.ts"].map((name) =>
    join(projectDir, "lib", "images", name),
  );
  return hashOfSources(arch, [...shared, ...filesUnder(sourceDir)]);
}
