import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

import { filesUnder } from "../sourceFiles";
import { tool } from "../tools";

/** A kernel module as its file's `.modinfo` describes it. */
export interface KernelModule {
  name: string;
  /** Below /lib/modules/VERSION, uncompressed: "kernel/drivers/net/virtio_net.ko". */
  path: string;
  /** The file that a package brought, perhaps compressed (.ko.xz, .ko.zst). */
  file: string;
}

/** The kernel's version and its modules by name, from a tree with lib/modules/VERSION in it. */
export async function readModules(tree: string): Promise<{ version: string; modules: Map<string, KernelModule> }> {
  const base = join(tree, "lib", "modules");
  const [version] = await readdir(base);
  if (!version) throw new Error(`The kernel package holds no modules below ${base}.`);
  const modules = new Map<string, KernelModule>();
  for (const file of filesUnder(join(base, version))) {
    const match = /^(kernel\/.*\/|kernel\/)?([^/]+)\.ko(\.xz|\.zst)?$/.exec(relative(join(base, version), file));
    if (!match) continue;
    const name = canonicalName(match[2] ?? "");
    modules.set(name, { name, path: `${match[1] ?? ""}${match[2]}.ko`, file });
  }
  return { version, modules };
}

/**
 * Copies the named modules and those that they depend on into `moduleDir` (…/lib/modules/VERSION), uncompressed since BusyBox
 * reads no others, with the indexes that modprobe reads (modules.dep(5)). Names that the kernel lacks or has built in are left out.
 * @returns the modules' paths below `moduleDir`, each after those that it depends on
 */
export async function installModules(
  modules: Map<string, KernelModule>,
  names: string[],
  moduleDir: string,
): Promise<string[]> {
  const installed = new Map<string, string[]>();
  const aliases: string[] = [];
  const install = async (name: string): Promise<string[]> => {
    const module = modules.get(canonicalName(name));
    if (!module) return [];
    const known = installed.get(module.path);
    if (known) return [...known, module.path];
    const target = join(moduleDir, module.path);
    await mkdir(dirname(target), { recursive: true });
    await decompress(module.file, target);
    const info = parseModinfo(await readFile(target));
    aliases.push(...info.aliases.map((alias) => `alias ${alias} ${module.name}`));
    const needed = new Set<string>();
    for (const dependency of info.depends) for (const path of await install(dependency)) needed.add(path);
    installed.set(module.path, [...needed]);
    return [...needed, module.path];
  };
  for (const name of names) await install(name);
  await mkdir(moduleDir, { recursive: true });
  // modprobe inserts a line's dependencies from the last to the first.
  const lines = [...installed].map(([path, needed]) => `${path}: ${[...needed].reverse().join(" ")}`.trimEnd());
  await writeFile(join(moduleDir, "modules.dep"), `${lines.join("\n")}\n`);
  await writeFile(join(moduleDir, "modules.alias"), `${aliases.join("\n")}\n`);
  await writeFile(join(moduleDir, "modules.symbols"), "");
  const order = new Set<string>();
  for (const [path, needed] of installed) for (const each of [...needed, path]) order.add(each);
  return [...order];
}

/** `depends` and `alias` of a module: its `.modinfo` section is NUL-separated "key=value" text (linux/moduleparam.h). */
export function parseModinfo(content: Buffer): { depends: string[]; aliases: string[] } {
  const text = content.toString("latin1");
  const depends = /\0depends=([\w,-]*)\0/.exec(text)?.[1] ?? "";
  const aliases = [...text.matchAll(/\0alias=([\x21-\x7e]+)(?=\0)/g)].map((match) => match[1] ?? "");
  return { depends: depends.split(",").filter((name) => name !== ""), aliases };
}

function canonicalName(name: string): string {
  return name.replaceAll("-", "_");
}

async function decompress(file: string, target: string): Promise<void> {
  if (file.endsWith(".xz")) await tool("xz", ["-dc", file], { stdout: { file: target } });
  else if (file.endsWith(".zst")) await tool("zstd", ["-dcq", file], { stdout: { file: target } });
  else await cp(file, target);
}
