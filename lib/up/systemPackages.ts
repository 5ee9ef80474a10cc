import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import type { Arch } from "../domain/arch";
import { CumulusError } from "../domain/errors";
import { miniPrerequisites } from "../images/mini/prerequisites";

const qemuPackages: Record<Arch, string[]> = {
  x86_64: ["qemu-system-x86", "qemu-utils"],
  // Its virtual machines have no BIOS: they boot by UEFI.
  aarch64: ["qemu-system-arm", "qemu-utils", "qemu-efi-aarch64"],
};

/** What the tests need beside Cumulus itself. */
const testPackages = ["fonts-dejavu-core", "openssh-client", "xorriso"];
/** Debian's browser; Ubuntu's package of it only leads to a snap. */
const debianBrowser = "chromium";

/**
 * Packages of Debian or Ubuntu that are missing on this computer: for running, for the built-in image, and for the tests if asked. Empty where
 * there is no apt.
 */
export async function missingPackages(arch: Arch, options: { forTests: boolean }): Promise<string[]> {
  if (!existsSync("/usr/bin/apt-get")) return [];
  const wanted = [...qemuPackages[arch], "genisoimage", "util-linux"];
  if (options.forTests) wanted.push(...testPackages, ...((await isUbuntu()) ? [] : [debianBrowser]));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: these are dpkg-query's placeholders
  const format = "${Package} ${db:Status-Status}\n";
  const { stdout } = await execa("dpkg-query", ["--show", `--showformat=${format}`, ...wanted], { reject: false });
  const lines = new Set(stdout.split("\n"));
  const prerequisites = await miniPrerequisites(arch);
  const forImage = prerequisites.ok ? [] : prerequisites.aptPackages;
  return [...new Set([...wanted.filter((name) => !lines.has(`${name} installed`)), ...forImage])];
}

async function isUbuntu(): Promise<boolean> {
  return /^ID=ubuntu$/m.test(await readFile("/etc/os-release", "utf8"));
}

/**
 * Installs packages as root, or by sudo where that asks for no password. `unavailable` with the command to run where it may not, or when
 * apt fails.
 */
export async function installPackages(packages: string[], signal?: AbortSignal): Promise<void> {
  const command = `sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(" ")}`;
  const asRoot = await rootPrefix();
  if (!asRoot) {
    throw new CumulusError(
      "unavailable",
      `System packages are missing that only root may install. Run this, then try again:\n\n  ${command}\n`,
    );
  }
  const apt = (args: string[]) => {
    const argv = [...asRoot, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", ...args];
    return execa(argv[0] ?? "", argv.slice(1), {
      reject: false,
      all: true,
      stdin: "ignore",
      ...(signal && { cancelSignal: signal }),
    });
  };
  // An update that fails for one of several sources may be good enough: what counts is whether the install works.
  const update = await apt(["update"]);
  const install = await apt(["-y", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", ...packages]);
  signal?.throwIfAborted();
  if (!install.failed) return;
  const said = [update, install].flatMap((step) => (step.failed ? step.all.trim().split("\n").slice(-3) : []));
  throw new CumulusError(
    "unavailable",
    `Not all system packages could be installed:\n${said.join("\n")}\nTry it yourself: ${command}`,
  );
}

/** What to put before a command so that it runs as root and asks nothing; undefined when there is no way. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const sudo = await execa("sudo", ["-n", "true"], { reject: false, stdin: "ignore" });
  return sudo.exitCode === 0 ? ["sudo", "-n"] : undefined;
}
