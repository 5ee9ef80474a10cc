import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Arch } from "../../domain/arch";
import { toolPath } from "./tools";

export type Prerequisites = { ok: true } | { ok: false; reason: string; aptPackages: string[] };

interface Requirement {
  /** A command on the PATH (or in an sbin folder, which a user's PATH may lack), or the absolute path of a file. */
  needs: string;
  aptPackage: string;
}

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
const withoutRoot: Requirement[] = [{ needs: "fakeroot", aptPackage: "fakeroot" }];

/** Whether this host can build `mini` for `arch`; if not, why, and which packages of Debian or Ubuntu would change that. */
export async function miniPrerequisites(arch: Arch = "x86_64"): Promise<Prerequisites> {
  for (const tool of ["apt-get", "apt-cache", "dpkg-deb"]) {
    if (await isThere(tool)) continue;
    const reason = `The image mini is made from Debian packages, and this computer has no ${tool}: add an image instead.`;
    return { ok: false, reason, aptPackages: [] };
  }
  const isRoot = process.getuid?.() === 0;
  const missing: Requirement[] = [];
  for (const requirement of [...always, ...(arch === "x86_64" ? forBios : []), ...(isRoot ? [] : withoutRoot)]) {
    if (!(await isThere(requirement.needs))) missing.push(requirement);
  }
  if (missing.length === 0) return { ok: true };
  const aptPackages = missing.map((requirement) => requirement.aptPackage);
  const names = missing.map((requirement) => requirement.needs).join(", ");
  const reason = `Building the image mini needs ${names}: run "apt-get install ${aptPackages.join(" ")}".`;
  return { ok: false, reason, aptPackages };
}

async function isThere(needs: string): Promise<boolean> {
  const candidates = needs.startsWith("/") ? [needs] : toolPath.split(delimiter).map((dir) => join(dir, needs));
  for (const candidate of candidates) {
    const found = await access(candidate, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
