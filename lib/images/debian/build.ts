import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import type { Arch } from "../../domain/arch";
import { CumulusError } from "../../domain/errors";
import type { TaskReport } from "../../domain/task";
import { mortalTree } from "../../system/mortal";
import { fulfil } from "../requirements";
import { toolPath } from "../tools";
import { writeDisk } from "./disk";
import { mirrorsOf } from "./mirrors";
import { debianPrerequisites, keyring } from "./prerequisites";
import { excludedPaths, finishScript, includedPaths, layout, packages, suite } from "./recipe";
import { unpackTree } from "./tree";

/** What mmdebstrap says when it begins with a part of its work, and how far the whole build is then. */
const stages: [words: string, percent: number, message: string][] = [
  ["running apt-get update", 3, "Reading the package lists"],
  ["downloading packages", 6, "Fetching packages"],
  ["extracting archives", 18, "Unpacking the base system"],
  ["installing essential", 22, "Installing the base system"],
  ["installing remaining", 30, "Installing packages"],
  ["running --customize-hook", 56, "Setting up boot loader and services"],
  ["creating tarball", 60, "Packing the system"],
];

/**
 * Builds the image `debian-12` from Debian's packages: a disk that boots by BIOS and by UEFI, with systemd, cloud-init, OpenSSH and
 * QEMU's guest agent, without mounts or loop devices. The same packages give the same bytes. What it makes lies in `workDir`, which is
 * the caller's to remove; what lies there already is removed.
 * @returns the path of the qcow2 file
 * @throws CumulusError `unavailable`: a tool is missing, or the packages can't be fetched; the message says what to do
 */
export async function buildDebian(options: {
  arch: Arch;
  workDir: string;
  report: TaskReport;
  signal: AbortSignal;
}): Promise<string> {
  const { arch, workDir, report, signal } = options;
  await fulfil(() => debianPrerequisites(arch), { report, signal });
  await rm(workDir, { recursive: true, force: true });
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const archive = join(workDir, "system.tar");
  const startedAt = Math.floor(Date.now() / 1000);
  await installSystem(archive, report, signal);
  report.progress(66, "Unpacking the system");
  const tree = await unpackTree(archive, workDir, startedAt, signal);
  await rm(archive);
  report.log(`Newest file of the packages: ${new Date(tree.epoch * 1000).toISOString()}`);
  report.progress(74, "Writing the disk");
  const target = join(workDir, "debian-12.qcow2");
  await writeDisk({ tree, target, scratch: workDir, signal });
  await rm(tree.root, { recursive: true, force: true });
  report.progress(95, "Taking the image in");
  return target;
}

/** Has mmdebstrap install the packages and pack the finished system. */
async function installSystem(archive: string, report: TaskReport, signal: AbortSignal): Promise<void> {
  const args = [
    ...["--variant=minbase", "--format=tar", "--verbose", `--keyring=${keyring}`, `--include=${packages.join(",")}`],
    ...excludedPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...includedPaths.map((path) => `--dpkgopt=path-include=${path}`),
    ...[`--customize-hook=${finishScript}`, suite, archive, ...(await mirrorsOf(suite))],
  ];
  const lines: string[] = [];
  // Under nice, since it takes all of a core and VMs come first. A user's mmdebstrap makes namespaces itself, and ends what it started.
  const nice = { program: "nice", args: ["mmdebstrap", ...args] };
  const command = await mortalTree(nice, { isNestable: false });
  const child = execa(command.program, command.args, {
    env: {
      PATH: toolPath,
      LC_ALL: "C",
      DEBIAN_FRONTEND: "noninteractive",
      // Where it unpacks: with the rest, so that a crash leaves nothing elsewhere.
      TMPDIR: dirname(archive),
      SUITE: suite,
      ROOT_UUID: layout.root.uuid,
      ESP_UUID: layout.esp.volumeId.toUpperCase().replace(/^(.{4})/, "$1-"),
    },
    stdin: "ignore",
    all: true,
    buffer: false,
    reject: false,
    cancelSignal: signal,
    killSignal: command.killSignal,
    forceKillAfterDelay: 20_000,
  });
  for await (const line of child.iterable({ from: "all" })) {
    lines.push(line);
    if (lines.length > 20) lines.shift();
    report.log(line);
    const stage = stages.find(([words]) => line.startsWith("I: ") && line.includes(words));
    if (stage) report.progress(stage[1], stage[2]);
  }
  const result = await child;
  signal.throwIfAborted();
  if (!result.failed) return;
  const why = lines.find((line) => line.startsWith("E:")) ?? lines.at(-1) ?? "mmdebstrap said nothing";
  throw new CumulusError(
    "unavailable",
    `Debian's packages could not be installed (${why.replace(/^E: /, "")}). Look at the log, check that this host reaches its Debian mirror, and try again.`,
    { cause: lines.join("\n") },
  );
}
