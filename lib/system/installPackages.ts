import { existsSync } from "node:fs";
import { execa } from "execa";
import { CumulusError } from "../domain/errors";

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

/** Whether packages can be installed from here without asking anybody. */
export async function mayInstall(): Promise<boolean> {
  return existsSync("/usr/bin/apt-get") && (await rootPrefix()) !== undefined;
}

/** What to put before a command so that it runs as root and asks nothing; undefined when there is no way. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const sudo = await execa("sudo", ["-n", "true"], { reject: false, stdin: "ignore" });
  return sudo.exitCode === 0 ? ["sudo", "-n"] : undefined;
}
