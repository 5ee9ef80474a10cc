import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Arch } from "../../domain/arch";
import { asUser, type MachineUser } from "../../system/machineUsers";
import { probePrograms } from "./probePrograms";

export interface ProbeRun {
  isUsable: boolean;
  /** What was seen, as the end of a sentence: "…, but the test program was not done after 2 s". */
  finding: string;
}

/** A program that a working accelerator is done with in 0.1 s counts as crawling from `tooSlowMs` on. */
const probeLimits = { tooSlowMs: 1000, giveUpMs: 2000 };

interface Subject {
  arch: Arch;
  accelerator: "kvm" | "tcg";
  cpuModel: string;
  /** Runs it as a VM's QEMU would run; null: as this process. */
  user: MachineUser | null;
}

/**
 * Runs the probe program under an accelerator. That it opens proves nothing (a nested, para-virtual KVM opens, creates a VM and
 * then crawls at a thousandth of the speed of emulation): the program must end, and in time. One that ends too late runs once more: the
 * computer may have been busy, and what is found holds until it is switched off.
 * @param user runs it as a VM's QEMU would run; null: as this process
 */
export async function runProbe(
  arch: Arch,
  accelerator: "kvm" | "tcg",
  cpuModel: string,
  user: MachineUser | null,
  limits = probeLimits,
): Promise<ProbeRun> {
  const subject = { arch, accelerator, cpuModel, user };
  const first = await runOnce(subject, limits);
  return first.isSlow ? runOnce(subject, limits) : first;
}

async function runOnce(
  { arch, accelerator, cpuModel, user }: Subject,
  { tooSlowMs, giveUpMs }: typeof probeLimits,
): Promise<ProbeRun & { isSlow: boolean }> {
  const program = probePrograms[arch];
  const folder = await mkdtemp(join(tmpdir(), "cumulus-probe-"));
  try {
    const file = join(folder, "program");
    await writeFile(file, program.bytes, { mode: 0o600 });
    // The program is QEMU's alone to read, whoever it runs as.
    if (user !== null) await giveTo(user, folder, file);
    const base = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"];
    const machine = ["-machine", `${program.machine},accel=${accelerator}`, "-cpu", cpuModel];
    const command = asUser(user, `qemu-system-${arch}`, [...base, ...machine, ...program.args(file)]);
    const startedAtMs = performance.now();
    const result = await execa(command.program, command.args, {
      reject: false,
      stdin: "ignore",
      timeout: giveUpMs,
      killSignal: "SIGKILL",
    });
    const tookMs = performance.now() - startedAtMs;
    const unusable = { isUsable: false, isSlow: false };
    if (result.timedOut) return { ...unusable, finding: `a test program was not done after ${giveUpMs / 1000} s` };
    if (result.exitCode !== program.exitStatus) {
      const words = result.stderr.trim().split("\n")[0] || result.shortMessage || "no message";
      return { ...unusable, finding: `QEMU failed with it: ${words.replace(/^\S*qemu-system-\S+: /, "")}` };
    }
    const seconds = (tookMs / 1000).toFixed(2);
    return tookMs < tooSlowMs
      ? { isUsable: true, isSlow: false, finding: `a test program ran in ${seconds} s` }
      : { isUsable: false, isSlow: true, finding: `a test program took ${seconds} s, far too long` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function giveTo(user: MachineUser, ...paths: string[]): Promise<void> {
  for (const path of paths) await chown(path, user.uid, user.gid);
}
