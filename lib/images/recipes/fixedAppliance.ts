import { access, chmod, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TaskReport } from "../../domain/task";
import { checkRequirements, fulfil, type Prerequisites } from "../requirements";
import { tool, toolPath, toolTree } from "../tools";
import { guestfsEnvironment } from "./appliance";

/** Whether disks can be looked into here. */
export async function browsingPrerequisites(): Promise<Prerequisites> {
  return checkRequirements("Looking into a disk", [
    { needs: "guestfish", aptPackage: "guestfish" },
    { needs: "libguestfs-make-fixed-appliance", aptPackage: "libguestfs-tools" },
    { needs: "supermin", aptPackage: "supermin" },
  ]);
}

/**
 * libguestfs' machine made once for each version (libguestfs-make-fixed-appliance(1)), so that a user without rights can start it: programs of another version
 * don't know what its daemon answers.
 * @param folder where it is kept: `fixed-VERSION` in it
 * @param scratch a private folder for this call
 * @returns the folder for LIBGUESTFS_PATH
 * @throws CumulusError `unavailable`
 */
export async function fixedAppliance(
  folder: string,
  options: { isEmulated: boolean; scratch: string; report: TaskReport; signal: AbortSignal },
): Promise<string> {
  await fulfil(browsingPrerequisites, options);
  const name = `fixed-${await guestfsVersion()}`;
  const fixed = join(folder, name);
  if (await isThere(join(fixed, "root"))) return fixed;
  const env = await guestfsEnvironment(folder, options);
  const making = join(options.scratch, "fixed");
  await rm(making, { recursive: true, force: true });
  await toolTree("libguestfs-make-fixed-appliance", [making], { env, cancelSignal: options.signal });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Nothing of anybody's is in it: whoever looks into a disk may read it.
  for (const path of [folder, making]) await chmod(path, 0o711);
  for (const file of ["kernel", "initrd", "root", "README.fixed"]) await chmod(join(making, file), 0o444);
  await rename(making, fixed).catch(async (error: unknown) => {
    // Another one was quicker.
    if (!(await isThere(join(fixed, "root")))) throw error;
  });
  await removeOthers(folder, name);
  return fixed;
}

/** As it stands in a file's name: `1.48.6`. */
async function guestfsVersion(): Promise<string> {
  const { stdout } = await tool("guestfish", ["--version"], {});
  return stdout.trim().split(" ").at(-1)?.replaceAll("/", "-") ?? "";
}

/** Those of versions that this host no longer has. A machine that runs has its files open. */
async function removeOthers(folder: string, present: string): Promise<void> {
  const others = (await readdir(folder)).filter((name) => /^fixed(-|$)/.test(name) && name !== present);
  for (const name of others) await rm(join(folder, name), { recursive: true, force: true });
}

/**
 * The environment in which a user without rights opens disks with libguestfs, in a machine that was made once and for all.
 * @param scratch a folder of the user's own, with a short path: sockets are in it
 */
export function guestfsUserEnvironment(
  appliance: string,
  scratch: string,
  isEmulated: boolean,
): Record<string, string> {
  return {
    LC_ALL: "C",
    PATH: toolPath,
    HOME: scratch,
    TMPDIR: scratch,
    XDG_RUNTIME_DIR: scratch,
    LIBGUESTFS_BACKEND: "direct",
    // It would try KVM first and end where that is there but unusable.
    LIBGUESTFS_BACKEND_SETTINGS: isEmulated ? "force_tcg" : "",
    LIBGUESTFS_PATH: appliance,
    LIBGUESTFS_TMPDIR: scratch,
    LIBGUESTFS_CACHEDIR: scratch,
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
