import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { CumulusError } from "../domain/errors";
import { tool } from "./tools";

/** apt set up for one Debian architecture ("amd64", "arm64"); the host's own dpkg and apt state stay as they are. */
export interface Apt {
  options: string[];
  /** What is made of the packages, for people: "the image mini". */
  makes: string;
  signal?: AbortSignal | undefined;
}

/** Where the host's own apt keeps its package lists. */
const hostLists = "/var/lib/apt/lists";

/**
 * apt for packages of `debArch`. The host's own architecture uses the host's package lists. For another one, lists of its own are
 * fetched into `stateDir`, from the host's sources, so that nothing has to be changed with `dpkg --add-architecture`.
 * @throws CumulusError `unavailable` where there are no lists and none can be fetched
 */
export async function openApt(
  debArch: string,
  stateDir: string,
  { makes, signal }: Pick<Apt, "makes" | "signal">,
): Promise<Apt> {
  const options = [
    // Without this, apt running as root fetches as the user `_apt`, who may not write into our private folder.
    ...["-o", "APT::Sandbox::User=root"],
    // Somebody waits for it: a host without a network is told within half a minute, where apt would take minutes.
    ...["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=15", "-o", "Acquire::https::Timeout=15"],
  ];
  const { stdout: hostArch } = await execa("dpkg", ["--print-architecture"]);
  if (debArch === hostArch.trim()) {
    const own = { options, makes, signal };
    if (!(await hasPackageLists(hostLists)) && process.getuid?.() === 0) await fetchLists(own, hostLists);
    return own;
  }
  const lists = join(stateDir, "lists");
  await mkdir(join(lists, "partial"), { recursive: true, mode: 0o700 });
  await mkdir(join(stateDir, "cache", "archives", "partial"), { recursive: true, mode: 0o700 });
  const apt = {
    options: [
      ...options,
      ...["-o", `APT::Architecture=${debArch}`, "-o", `APT::Architectures=${debArch}`],
      ...[
        "-o",
        `Dir::State=${stateDir}`,
        "-o",
        "Dir::State::status=/dev/null",
        "-o",
        `Dir::Cache=${join(stateDir, "cache")}`,
      ],
    ],
    makes,
    signal,
  };
  await fetchLists(apt, lists);
  return apt;
}

/** `apt-get update` ends well also where it fetched nothing: what is there afterwards tells. */
async function fetchLists(apt: Apt, lists: string): Promise<void> {
  await run(apt, "apt-get", ["update", "-qq"], "read the package lists");
  if (await hasPackageLists(lists)) return;
  throw new CumulusError(
    "unavailable",
    `The package mirror can't be reached, and ${apt.makes} is made of packages that it has. See that this host has a way out to what /etc/apt/sources.list names, and try again.`,
  );
}

/** A fresh system, and a container whose maker saved space, have none. */
async function hasPackageLists(lists: string): Promise<boolean> {
  const names = await readdir(lists).catch(() => [] as string[]);
  return names.some((name) => name.includes("_Packages"));
}

/**
 * The packages and what they depend on, as far as `follows` accepts the dependency's name: an image built by extraction wants
 * libraries, not the maintainer scripts' tools. Of alternatives ("a | b") and virtual packages the first is taken.
 */
export async function resolvePackages(
  apt: Apt,
  names: string[],
  follows: (name: string) => boolean,
): Promise<string[]> {
  const stdout = await run(
    apt,
    "apt-cache",
    [
      ...["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"],
      ...["--no-replaces", "--no-enhances", ...names],
    ],
    "look up the packages",
  );
  const dependencies = parseDepends(stdout);
  const missing = names.filter((name) => !dependencies.has(name));
  if (missing.length > 0) throw unknownPackages(apt, missing.join(", "));
  const resolved = new Set<string>();
  const visit = (name: string) => {
    if (resolved.has(name)) return;
    resolved.add(name);
    for (const dependency of dependencies.get(name) ?? []) if (follows(dependency)) visit(dependency);
  };
  names.forEach(visit);
  return [...resolved].sort();
}

/** What `apt-cache depends --recurse` prints, as package → its dependencies. */
export function parseDepends(output: string): Map<string, string[]> {
  const dependencies = new Map<string, string[]>();
  let current: string[] = [];
  /** Set after "|Depends: a" (the next line is an alternative to it) and after "Depends: <virtual>" (providers follow). */
  let skipsNext = false;
  let awaitsProvider = false;
  for (const line of output.split("\n")) {
    const relation = /^\s+(\|?)(?:Pre)?Depends: (\S+)$/.exec(line);
    const provider = /^ {4}(\S+)$/.exec(line);
    if (relation) {
      const [, alternative, name = ""] = relation;
      const isVirtual = name.startsWith("<");
      if (!skipsNext && !isVirtual) current.push(name);
      awaitsProvider = !skipsNext && isVirtual;
      skipsNext = alternative === "|";
    } else if (provider?.[1]) {
      if (awaitsProvider) current.push(provider[1]);
      awaitsProvider = false;
    } else if (/^\S+$/.test(line) && !line.startsWith("<")) {
      current = [];
      dependencies.set(line, current);
    }
  }
  return dependencies;
}

/** Downloads the packages into `dir` (which it makes) and returns the paths of their files, sorted. */
export async function downloadPackages(apt: Apt, names: string[], dir: string): Promise<string[]> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await run(apt, "apt-get", ["download", "-qq", ...names], "download the packages", dir);
  const files = (await readdir(dir)).filter((file) => file.endsWith(".deb")).sort();
  return files.map((file) => join(dir, file));
}

/**
 * Unpacks a package's files into `dir`, running none of its scripts; all belong to the caller. Where the tree has a link to a
 * folder (/bin → usr/bin), files go through it.
 */
export async function extractPackage(file: string, dir: string, signal?: AbortSignal): Promise<void> {
  await mkdir(dir, { recursive: true });
  const cancel = signal ? { cancelSignal: signal } : {};
  const unpacked = tool("tar", ["-x", "-p", "--no-same-owner", "--keep-directory-symlink", "-C", dir], cancel);
  await Promise.all([
    tool("dpkg-deb", ["--fsys-tarfile", file], { ...cancel, buffer: false }).pipe(unpacked),
    unpacked,
  ]);
}

/** The package's name, from its file's name: NAME_VERSION_ARCH.deb (deb-src-control and apt keep to it). */
export function packageNameOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1).split("_", 1)[0] ?? file;
}

async function run(apt: Apt, command: string, args: string[], purpose: string, cwd?: string): Promise<string> {
  const result = await tool(command, [...apt.options, ...args], {
    reject: false,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    ...(cwd ? { cwd } : {}),
    ...(apt.signal ? { cancelSignal: apt.signal } : {}),
  });
  if (!result.failed) return result.stdout;
  apt.signal?.throwIfAborted();
  const complaint = result.stderr.split("\n").find((line) => line.startsWith("E:")) ?? result.shortMessage ?? command;
  if (/Unable to locate|No packages found|Can't select|no installation candidate|404/.test(result.stderr)) {
    throw unknownPackages(apt, complaint.replace(/^E: /, ""));
  }
  throw new CumulusError("unavailable", `Could not ${purpose}: ${complaint.replace(/^E: /, "")}`, {
    cause: result.stderr,
  });
}

function unknownPackages({ makes }: Apt, detail: string): CumulusError {
  return new CumulusError(
    "unavailable",
    `apt does not find what ${makes} is made of (${detail}). Its lists may be missing or old: run "apt-get update" and try again.`,
  );
}
