import type { Arch } from "../../domain/arch";
import { archOfNode } from "../../domain/arch";
import { checkRequirements, findRequired, type Prerequisites, type Requirement } from "../requirements";

/** Debian's keys, by which apt knows Debian's packages. */
export const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const always: Requirement[] = [
  { needs: "mmdebstrap", aptPackage: "mmdebstrap" },
  { needs: keyring, aptPackage: "debian-archive-keyring" },
  { needs: "qemu-img", aptPackage: "qemu-utils" },
  { needs: "sfdisk", aptPackage: "fdisk" },
  { needs: "mkfs.vfat", aptPackage: "dosfstools" },
  { needs: "mcopy", aptPackage: "mtools" },
  { needs: "mke2fs", aptPackage: "e2fsprogs" },
  { needs: "cpio", aptPackage: "cpio" },
];
/** A user's mmdebstrap works in a user namespace with ids of its own, and fakeroot keeps to whom files belong. */
const withoutRoot: Requirement[] = [
  { needs: "newuidmap", aptPackage: "uidmap" },
  { needs: "fakeroot", aptPackage: "fakeroot" },
];

/** Whether this host can build `debian-12`; if not, why, and which packages of Debian or Ubuntu would change that. */
export async function debianPrerequisites(arch: Arch): Promise<Prerequisites> {
  if (arch !== "x86_64" || archOfNode(process.arch) !== "x86_64") {
    const reason =
      "The image debian-12 is built for x86_64, on an x86_64 computer: add Debian from the catalogue instead.";
    return { ok: false, reason, aptPackages: [] };
  }
  if (!(await findRequired("apt-get"))) {
    const reason =
      "The image debian-12 is made with apt and dpkg, and this computer has neither: add Debian from the catalogue instead.";
    return { ok: false, reason, aptPackages: [] };
  }
  const isRoot = process.getuid?.() === 0;
  return checkRequirements("Building the image debian-12", [...always, ...(isRoot ? [] : withoutRoot)]);
}
