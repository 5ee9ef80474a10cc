import { type Arch, archOfNode } from "../../domain/arch";
import { checkRequirements, findRequired, type Prerequisites, type Requirement } from "../requirements";

const always: Requirement[] = [
  { needs: "qemu-img", aptPackage: "qemu-utils" },
  { needs: "sfdisk", aptPackage: "fdisk" },
  { needs: "mkfs.vfat", aptPackage: "dosfstools" },
  { needs: "mcopy", aptPackage: "mtools" },
  { needs: "mke2fs", aptPackage: "e2fsprogs" },
  { needs: "cpio", aptPackage: "cpio" },
  { needs: "xz", aptPackage: "xz-utils" },
  { needs: "zstd", aptPackage: "zstd" },
];
const forBios: Requirement[] = [
  { needs: "syslinux", aptPackage: "syslinux" },
  { needs: "/usr/lib/syslinux/mbr/mbr.bin", aptPackage: "syslinux-common" },
];
/** What runs an image of a foreign architecture: without it the image is of no use here. */
const toEmulate: Record<Arch, Requirement[]> = {
  x86_64: [{ needs: "qemu-system-x86_64", aptPackage: "qemu-system-x86" }],
  aarch64: [
    { needs: "qemu-system-aarch64", aptPackage: "qemu-system-arm" },
    { needs: "/usr/share/AAVMF/AAVMF_CODE.fd", aptPackage: "qemu-efi-aarch64" },
  ],
};
const withoutRoot: Requirement[] = [{ needs: "fakeroot", aptPackage: "fakeroot" }];

/** Whether this host can build `mini` for `arch`; if not, why, and which packages of Debian or Ubuntu would change that. */
export async function miniPrerequisites(arch: Arch): Promise<Prerequisites> {
  for (const tool of ["apt-get", "apt-cache", "dpkg-deb"]) {
    if (await findRequired(tool)) continue;
    const reason = `The image mini is made from Debian packages, and this computer has no ${tool}: add an image instead.`;
    return { ok: false, reason, aptPackages: [] };
  }
  const isRoot = process.getuid?.() === 0;
  return checkRequirements("Building the image mini", [
    ...always,
    ...(arch === "x86_64" ? forBios : []),
    ...(arch === archOfNode(process.arch) ? [] : toEmulate[arch]),
    ...(isRoot ? [] : withoutRoot),
  ]);
}
