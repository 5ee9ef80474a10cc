import { chmod, mkdir, writeFile } from "node:fs/promises";
import { platform } from "node:os";
import { dirname, join, sep } from "node:path";
import { execa } from "execa";
import { CumulusError } from "./domain/errors";
import type { Settings } from "./env";
import { projectDir } from "./paths";

const accountName = "cumulus";

/** The unprivileged user that PostgreSQL and the console run as when Cumulus is started by root. */
export interface ServiceAccount {
  uid: number;
  gid: number;
}

/** The service account, made if it is missing; undefined when not root: then everything runs as the present user. */
export async function ensureServiceAccount(): Promise<ServiceAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (platform() !== "linux") {
    throw new CumulusError("bad_request", "Only on Linux does Cumulus run as root: start it as a normal user here.");
  }
  const found = await findServiceAccount();
  if (found) return found;
  const made = await execa(
    "useradd",
    [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/nonexistent",
      "--shell",
      "/usr/sbin/nologin",
      accountName,
    ],
    { reject: false },
  );
  const account = await findServiceAccount();
  if (account) return account;
  throw new CumulusError(
    "unavailable",
    `The system user ${accountName} could not be made (${made.stderr || made.message}): make it, or start Cumulus as a normal user.`,
  );
}

async function findServiceAccount(): Promise<ServiceAccount | undefined> {
  const { stdout, exitCode } = await execa("getent", ["passwd", accountName], { reject: false });
  const [, , uid, gid] = stdout?.split(":") ?? [];
  if (exitCode !== 0 || !uid || !gid) return undefined;
  return { uid: Number(uid), gid: Number(gid) };
}

/** How to run a program of this checkout with as few rights as it needs. */
export interface ServiceRunner {
  /** Where the service finds a file of the project folder. */
  pathOf(projectPath: string): string;
  /** The Node.js binary as the service finds it. */
  node: string;
  /** What to spawn, in the project folder, so that `argv` runs there as the service account; the pid stays the program's. */
  command(argv: string[]): [file: string, ...args: string[]];
}

/** Binds files and folders to other places for the program that follows, and nobody else: `from to … -- workingFolder argv`. */
const bindAndExec =
  'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 126; shift 2; done; cd "$2" && shift 2 && exec "$@"';

/**
 * The runner for this checkout. Where the service account can't reach the project folder or Node.js (both may lie below /root), it
 * sees them in the run folder, by a mount namespace of its own.
 */
export async function serviceRunner(
  account: ServiceAccount | undefined,
  settings: Pick<Settings, "runDir">,
  root: string = projectDir,
): Promise<ServiceRunner> {
  if (!account) return { pathOf: (path) => path, node: process.execPath, command: asArgv };
  const drop = [
    "setpriv",
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--init-groups",
    "--inh-caps=-all",
    "--bounding-set=-all",
    "--no-new-privs",
    "--",
  ];
  const direct: ServiceRunner = {
    pathOf: (path) => path,
    node: process.execPath,
    command: (argv) => asArgv([...drop, ...argv]),
  };
  if (await canRead(direct, root)) return direct;

  const app = join(settings.runDir, "app");
  const node = join(settings.runDir, "node");
  for (const path of [settings.runDir, app]) await makeSharedFolder(path, account);
  await writeFile(node, "", { flag: "a" });
  const bound: ServiceRunner = {
    pathOf: (path) => (path === root || path.startsWith(root + sep) ? app + path.slice(root.length) : path),
    node,
    command: (argv) =>
      asArgv([
        ...["unshare", "--mount", "--propagation", "private", "--"],
        ...["/bin/sh", "-c", bindAndExec, "sh", root, app, process.execPath, node, "--", app],
        ...[...drop, ...argv],
      ]),
  };
  if (await canRead(bound, root)) return bound;
  throw new CumulusError(
    "unavailable",
    `The system user ${accountName} can't read ${root}: run \`chmod -R go+rX ${root}\`, or put the project where it may be read.`,
  );
}

/**
 * Makes a folder, and those above it that are missing, that root's processes and the service account's pass through; only the owner lists
 * it. What lies in it is each one's own.
 */
export async function makeSharedFolder(path: string, account: ServiceAccount | undefined): Promise<void> {
  const mode = account ? 0o711 : 0o700;
  const first = await mkdir(path, { recursive: true });
  // The umask may have taken away more than is meant.
  for (let made = path; first && made.startsWith(first); made = dirname(made)) await chmod(made, mode);
  await chmod(path, mode);
}

/** The whole environment of a service: nothing that the caller's own holds (it may be root's) but where programs lie. */
export function serviceEnvironment(variables: Record<string, string>): NodeJS.ProcessEnv {
  return { NODE_ENV: "production", PATH: process.env.PATH, ...variables };
}

/** Whether the service can run Node.js and reach what lies in the project. */
async function canRead(runner: ServiceRunner, root: string): Promise<boolean> {
  const tests = ["-x", runner.node, "-a", "-r", runner.pathOf(join(root, "package.json"))];
  const [file, ...args] = runner.command([
    "/usr/bin/test",
    ...tests,
    "-a",
    "-x",
    runner.pathOf(join(root, "node_modules")),
  ]);
  return (await execa(file, args, { reject: false })).exitCode === 0;
}

function asArgv(argv: string[]): [string, ...string[]] {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error("There is no program to run.");
  return [file, ...args];
}
