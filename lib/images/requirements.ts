import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { CumulusError } from "../domain/errors";
import type { TaskReport } from "../domain/task";
import { installPackages, mayInstall } from "../system/installPackages";
import { toolPath } from "./tools";

/** Something of the host's that a piece of work can't do without. */
export interface Requirement {
  /** A command on the PATH (or in an sbin folder, which a user's PATH may lack), or the absolute path of a file. */
  needs: string;
  /** The package of Debian and Ubuntu that brings it. */
  aptPackage: string;
}

export type Prerequisites = { ok: true } | { ok: false; reason: string; aptPackages: string[] };

/**
 * Whether all is there; if not, what is missing, and which packages of Debian or Ubuntu would change that.
 * @param purpose how the sentence begins: "Building the image mini"
 */
export async function checkRequirements(purpose: string, requirements: Requirement[]): Promise<Prerequisites> {
  const missing: Requirement[] = [];
  for (const requirement of requirements) if (!(await isThere(requirement.needs))) missing.push(requirement);
  if (missing.length === 0) return { ok: true };
  const aptPackages = [...new Set(missing.map(({ aptPackage }) => aptPackage))];
  const names = missing.map(({ needs }) => needs).join(", ");
  return {
    ok: false,
    reason: `${purpose} needs ${names}: run "apt-get install ${aptPackages.join(" ")}".`,
    aptPackages,
  };
}

/**
 * Has what is missing installed where Cumulus may, which is as root or by sudo without a password.
 * @param check asked before and after
 * @throws CumulusError `unavailable`: what is missing, and the command that installs it
 */
export async function fulfil(
  check: () => Promise<Prerequisites>,
  { report, signal }: { report: TaskReport; signal: AbortSignal },
): Promise<void> {
  const before = await check();
  if (before.ok) return;
  if (before.aptPackages.length > 0 && (await mayInstall())) {
    const names = before.aptPackages.join(", ");
    report.progress(1, `Installing ${names}`);
    report.log(`This host lacks ${names}: installing`);
    await installPackages(before.aptPackages, signal);
  }
  const after = await check();
  if (!after.ok) throw new CumulusError("unavailable", after.reason);
}

/** The file that a requirement names, or undefined where the host lacks it. */
export async function findRequired(needs: string): Promise<string | undefined> {
  const candidates = needs.startsWith("/") ? [needs] : toolPath.split(delimiter).map((dir) => join(dir, needs));
  for (const candidate of candidates) {
    const found = await access(candidate, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}

async function isThere(needs: string): Promise<boolean> {
  return (await findRequired(needs)) !== undefined;
}
