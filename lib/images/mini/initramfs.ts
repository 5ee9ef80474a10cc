import { chmod, copyFile, cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { setAllTimes } from "../fileTimes";
import { tool } from "../tools";
import { installModules, type KernelModule } from "./modules";
import { bootModules, guestDir } from "./recipe";

/** What `guest/initramfs/init` calls. */
const applets = ["blockdev", "dd", "findfs", "insmod", "mount", "readlink", "sh", "sleep", "switch_root"];

/** Packs the initramfs: static BusyBox, our init, and the modules that lead to the root disk. */
export async function packInitramfs(options: {
  /** The static BusyBox binary. */
  busybox: string;
  modules: Map<string, KernelModule>;
  /** A folder to lay its files out in. */
  dir: string;
  /** The time of its files, in seconds since 1970. */
  epoch: number;
  /** The file to write: a cpio archive, compressed with gzip. */
  target: string;
}): Promise<void> {
  const { busybox, modules, dir, epoch, target } = options;
  for (const name of ["bin", "dev", "proc", "sys", "root"]) await mkdir(join(dir, name), { recursive: true });
  await copyFile(busybox, join(dir, "bin", "busybox"));
  await chmod(join(dir, "bin", "busybox"), 0o755);
  for (const applet of applets) await symlink("busybox", join(dir, "bin", applet));
  await cp(join(guestDir, "initramfs"), dir, { recursive: true });
  await chmod(join(dir, "init"), 0o755);
  const paths = await installModules(modules, bootModules, join(dir, "lib", "modules"));
  await writeFile(join(dir, "modules"), paths.map((path) => `/lib/modules/${path}\n`).join(""));

  await setAllTimes(dir, epoch);
  // Sorted, so that a folder comes before what is in it.
  const names = (await readdir(dir, { recursive: true })).sort();
  const { stdout } = await tool("cpio", ["--create", "--format=newc", "--reproducible", "--owner=0:0", "--quiet"], {
    cwd: dir,
    input: names.map((name) => `${name}\n`).join(""),
    encoding: "buffer",
  });
  await writeFile(target, gzipSync(stdout, { level: 9 }));
}
