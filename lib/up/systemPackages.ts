import { existsSync } from "node:fs";
import { execa } from "execa";
import type { Arch } from "../domain/arch";
import { CumulusError } from "../domain/errors";
import { miniPrerequisites } from "../images/mini/prerequisites";

const qemuPackages: Record<Arch, string[]> = {
  x86_64: ["qemu-system-x86", "qemu-utils"],
  // Its virtual machines have no BIOS: they boot by UEFI.
  aarch64: ["qemu-system-arm", "qemu-utils", "qemu-efi-aarch64"],
};

/** What the browser tests need beside Cumulus itself. */
const testPackages = ["chromium", "fonts-dejavu-core", "openssh-client", "socat"];

/**
 * Packages of Debian or Ubuntu that are missing on this computer: for running, for the built-in image, and for the tests if asked. Empty where
 * there is no apt.
 */
export async function missingPackages(arch: Arch, options: { forTests: boolean }): Promise<string[]> {
  if (!existsSync("/usr/bin/apt-get")) return [];
  const wanted = [...qemuPackages[arch], "util-linux", ...(options.forTests ? testPackages : [])];
  const { stdout } = await execa("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...wanted], {
    reject: false,
  });
  const installed = new Set(
    stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  const prerequisites = await miniPrerequisites(arch);
  const forImage = prerequisites.ok ? [] : prerequisites.aptPackages;
  return [...new Set([...wanted.filter((name) => !installed.has(name)), ...forImage])];
}

/**
 * Installs packages as root, or by sudo where that asks for no password. `unavailable` with the command to run where it may not, or when
 * apt fails.
 */
export async function installPackages(packages: string[], signal?: AbortSignal): Promise<void> {
  const command = `apt-get update && apt-get install --no-install-recommends -y ${packages.join(" ")}`;
  const root = await rootPrefix();
  if (!root) {
    throw new CumulusError(
      "unavailable",
      `These packages are missing, and only root may install them. Run this, then try again:\n\n    sudo sh -c '${command}'\n`,
    );
  }
  const steps = [
    ["apt-get", "-q", "update"],
    ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", ...packages],
  ];
  let failure = "";
  for (const step of steps) {
    const [file = "", ...args] = [...root, "env", "DEBIAN_FRONTEND=noninteractive", ...step];
    const result = await execa(file, args, { reject: false, all: true, stdin: "ignore", cancelSignal: signal });
    // An update that failed for one of several sources may still be good enough: what counts is whether the install works.
    if (result.failed) failure = result.all?.trim().split("\n").slice(-3).join("\n") || result.shortMessage;
    else if (step.includes("install")) return;
  }
  throw new CumulusError("unavailable", `System packages could not be installed by \`${command}\`:\n${failure}`);
}

/** What to put before a command so that it runs as root without asking; undefined when there is no way. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  return (await execa("sudo", ["-n", "true"], { reject: false, stdin: "ignore" })).exitCode === 0
    ? ["sudo", "-n"]
    : undefined;
}
