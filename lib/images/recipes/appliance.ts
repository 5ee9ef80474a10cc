import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archOfNode } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";
import { downloadPackages, extractPackage, openApt, resolvePackages } from "../deb";
import { readDistribution } from "../distribution";
import { debArchOf, isFollowed, kernelPackage } from "../mini/recipe";
import { checkRequirements, fulfil, type Prerequisites } from "../requirements";
import { tool } from "../tools";

/** Whether images can be changed here without starting them. */
export async function recipePrerequisites(): Promise<Prerequisites> {
  return checkRequirements("Changing an image's disk", [
    { needs: "virt-customize", aptPackage: "guestfs-tools" },
    { needs: "supermin", aptPackage: "supermin" },
    { needs: "qemu-img", aptPackage: "qemu-utils" },
  ]);
}

/**
 * The environment in which libguestfs opens disks: in a small virtual machine of its own, made of this host's programs and a kernel.
 * @param folder keeps what it is made of, for the next time; it may be removed when nothing uses it
 * @throws CumulusError `unavailable`
 */
export async function guestfsEnvironment(
  folder: string,
  options: { isEmulated: boolean; scratch: string; report: TaskReport; signal: AbortSignal },
): Promise<Record<string, string>> {
  await fulfil(recipePrerequisites, options);
  const cache = join(folder, "cache");
  // What the folder lies in is others' too: made along with the cache, it would be closed to them.
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(cache, { recursive: true, mode: 0o700 });
  return {
    LC_ALL: "C",
    LIBGUESTFS_BACKEND: "direct",
    // It would try KVM first and end where that is there but unusable.
    LIBGUESTFS_BACKEND_SETTINGS: options.isEmulated ? "force_tcg" : "",
    LIBGUESTFS_CACHEDIR: cache,
    LIBGUESTFS_TMPDIR: options.scratch,
    ...((await hasOwnKernel()) ? {} : await fetchKernel(join(folder, "kernel"), options)),
  };
}

/** Whether supermin finds a kernel with its modules on this host. Servers and laptops have one, containers don't. */
async function hasOwnKernel(): Promise<boolean> {
  const names = await readdir("/boot").catch(() => []);
  for (const name of names.filter((name) => name.startsWith("vmlinuz-"))) {
    const modules = join("/lib/modules", name.slice("vmlinuz-".length), "modules.dep");
    if ((await isReadable(join("/boot", name))) && (await isReadable(modules))) return true;
  }
  return false;
}

/** Unpacks the distribution's kernel for virtual machines into a folder, unless it is there: nothing is installed on the host. */
async function fetchKernel(
  folder: string,
  { scratch, report, signal }: { scratch: string; report: TaskReport; signal: AbortSignal },
): Promise<Record<string, string>> {
  if (!(await isReadable(folder))) {
    const arch = archOfNode(process.arch) ?? "x86_64";
    const { id } = await readDistribution();
    report.log("Fetching a kernel for the machine that changes the disk");
    const apt = await openApt(debArchOf[arch], join(scratch, "apt"), { makes: "libguestfs' kernel", signal });
    const names = await resolvePackages(
      apt,
      [kernelPackage(id, arch)],
      (name) => /^linux-/.test(name) && isFollowed(name),
    );
    const unpacked = join(scratch, "kernel");
    for (const file of await downloadPackages(apt, names, join(scratch, "packages"))) {
      await extractPackage(file, unpacked, signal);
    }
    const version = await kernelVersion(unpacked);
    await tool("depmod", ["-b", unpacked, version]);
    await rename(unpacked, folder).catch(async (error: unknown) => {
      // Another recipe's task was quicker.
      if (!(await isReadable(folder))) throw error;
      await rm(unpacked, { recursive: true });
    });
  }
  const version = await kernelVersion(folder);
  // supermin copies this folder's rights, and a computer without a kernel of its own lacks it.
  if (process.getuid?.() === 0) await mkdir("/lib/modules", { recursive: true });
  return {
    SUPERMIN_KERNEL: join(folder, "boot", `vmlinuz-${version}`),
    SUPERMIN_KERNEL_VERSION: version,
    SUPERMIN_MODULES: join(folder, "lib", "modules", version),
  };
}

async function kernelVersion(tree: string): Promise<string> {
  const [version] = await readdir(join(tree, "lib", "modules"));
  if (version) return version;
  throw new CumulusError("unavailable", `There is no kernel in ${tree}: remove that folder and try again.`);
}

function isReadable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
