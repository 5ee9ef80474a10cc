import { chmod, copyFile, cp, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Arch } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import { downloadPackages, extractPackage, openApt, packageNameOf, resolvePackages } from "../deb";
import { readDistribution } from "../distribution";
import { settleTimes } from "../fileTimes";
import { writeDisk } from "./disk";
import { packInitramfs } from "./initramfs";
import { installModules, readModules } from "./modules";
import { miniPrerequisites } from "./prerequisites";
import {
  busyboxPackage,
  debArchOf,
  efiLoaderPackage,
  guestDir,
  isFollowed,
  kernelPackage,
  layout,
  miniRecipeHash,
  rootModules,
  rootPackages,
} from "./recipe";
import { finishRoot, layOutRoot } from "./root";

export interface MiniImage {
  /** The qcow2 file, 0600, in the work folder: the caller moves it where it belongs. */
  path: string;
  fileBytes: number;
  virtualSizeBytes: number;
  recipeHash: string;
  kernelVersion: string;
  /** The distribution whose packages it holds: "Debian GNU/Linux 12". */
  basedOn: string;
  /** The user whose authorized keys a seed's top-level `ssh_authorized_keys` become. */
  loginUser: "root";
}

/**
 * Builds the image `mini` from this distribution's packages: a bootable qcow2, in seconds, without root, mounts or loop
 * devices. The same packages give the same bytes. All it leaves in `workDir` is the image, also when it fails or is aborted.
 * @throws CumulusError `unavailable`: a tool or package is missing, or the packages can't be fetched; the message says what to do
 */
export async function buildMini(options: {
  /** A private folder (0700); it is made if it isn't there. */
  workDir: string;
  arch: Arch;
  log: (line: string) => void;
  signal?: AbortSignal;
}): Promise<MiniImage> {
  const { workDir, arch, log, signal } = options;
  const prerequisites = await miniPrerequisites(arch);
  if (!prerequisites.ok) throw new CumulusError("unavailable", prerequisites.reason);
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(join(workDir, "build-"));
  const target = join(workDir, `mini-${arch}.qcow2`);
  try {
    const built = join(scratch, "mini.qcow2");
    const { kernelVersion, basedOn } = await build({ arch, scratch, target: built, log, signal });
    await chmod(built, 0o600);
    const { size: fileBytes } = await stat(built);
    await rename(built, target);
    const { virtualSizeBytes } = layout;
    const recipeHash = miniRecipeHash(arch);
    return { path: target, fileBytes, virtualSizeBytes, recipeHash, kernelVersion, basedOn, loginUser: "root" };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function build(options: {
  arch: Arch;
  scratch: string;
  target: string;
  log: (line: string) => void;
  signal: AbortSignal | undefined;
}): Promise<{ kernelVersion: string; basedOn: string }> {
  const { arch, scratch, target, log, signal } = options;
  const place = (name: string) => join(scratch, name);
  const distribution = await readDistribution();
  const startedAt = Math.floor(Date.now() / 1000);

  const apt = await openApt(debArchOf[arch], place("apt"), { makes: "the image mini", signal });
  const loader = arch === "x86_64" ? [] : [efiLoaderPackage];
  const seeds = [...rootPackages, ...loader, busyboxPackage, kernelPackage(distribution.id, arch)];
  const names = await resolvePackages(apt, seeds, isFollowed);
  log(`Fetching ${names.length} packages of ${distribution.title}`);
  const packages = await downloadPackages(apt, names, place("packages"));

  log("Unpacking them");
  await layOutRoot(place("root"));
  for (const file of packages) await extractPackage(file, place(homeOf(packageNameOf(file))), signal);
  const busybox = join(place("root"), "bin", "busybox");
  const { version, modules } = await readModules(place("kernel"));
  await installModules(modules, rootModules, join(place("root"), "lib", "modules", version));
  await finishRoot({ root: place("root"), basedOn: distribution.title });
  const epoch = await settleTimes(place("root"), startedAt);
  await mkdir(place("boot"), { mode: 0o700 });
  const initramfs = { dir: place("initramfs"), target: join(place("boot"), "initrd.gz") };
  await packInitramfs({ busybox, modules, epoch, ...initramfs });
  await copyFile(join(place("kernel"), "boot", `vmlinuz-${version}`), join(place("boot"), "vmlinuz"));
  await cp(join(guestDir, "boot", arch), place("boot"), { recursive: true });
  if (arch === "aarch64") {
    await mkdir(join(place("boot"), "EFI", "BOOT"), { recursive: true });
    const efi = join(place("loader"), "usr/lib/systemd/boot/efi/systemd-bootaa64.efi");
    await copyFile(efi, join(place("boot"), "EFI", "BOOT", "BOOTAA64.EFI"));
  }

  signal?.throwIfAborted();
  log("Writing the disk");
  await writeDisk({ arch, root: place("root"), boot: place("boot"), epoch, target });
  return { kernelVersion: version, basedOn: distribution.title };
}

/** The folder that a package is unpacked into: of kernel and loader only chosen parts go into the image. */
function homeOf(packageName: string): "kernel" | "loader" | "root" {
  if (packageName === efiLoaderPackage) return "loader";
  return packageName.startsWith("linux-") ? "kernel" : "root";
}
