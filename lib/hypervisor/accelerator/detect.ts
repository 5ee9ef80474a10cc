import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { Arch } from "../../domain/arch";
import { messageOf } from "../../domain/errors";
import { type Accelerator, acceleratorSchema } from "../../domain/host";
import type { Settings } from "../../env";
import { readTextIfThere, writeFileAtomic } from "../../system/files";
import { parseJson } from "../../system/json";
import type { Log } from "../../system/log";
import type { MachineUser, UserScheme } from "../../system/machineUsers";
import { hostBootId } from "../../system/platform";
import { runProbe } from "./probe";

/** The processor that emulation offers: all that it can do. */
export const emulatedCpuModel = "max";

const cacheSchema = z.object({ bootId: z.string(), wanted: z.string(), accelerator: acceleratorSchema });

/**
 * What runs guests of this computer's own architecture, and why. Probes take several seconds at worst, so its result is kept until the computer is
 * switched off (`accelerator.json` in the data folder).
 */
export async function detectAccelerator(
  settings: Pick<Settings, "accelerator" | "dataDir">,
  hostArch: Arch,
  scheme: UserScheme,
  log: Log,
): Promise<Accelerator> {
  const cacheFile = join(settings.dataDir, "accelerator.json");
  const bootId = await hostBootId();
  const cached = cacheSchema.safeParse(parseJson(await readTextIfThere(cacheFile)));
  if (cached.success && cached.data.bootId === bootId && cached.data.wanted === settings.accelerator) {
    return cached.data.accelerator;
  }
  const { failed } = await execa(`qemu-system-${hostArch}`, ["--version"], { reject: false });
  // Not kept: it may be installed in a moment.
  if (failed) return emulation("QEMU is not installed, so no accelerator could be tested.");
  const accelerator = await chooseAccelerator(settings.accelerator, hostArch, scheme);
  try {
    await writeFileAtomic(cacheFile, JSON.stringify({ bootId, wanted: settings.accelerator, accelerator }));
  } catch (error) {
    log.warn({ error: messageOf(error) }, "the accelerator's probe could not be kept and will run again");
  }
  return accelerator;
}

async function chooseAccelerator(
  wanted: Settings["accelerator"],
  hostArch: Arch,
  scheme: UserScheme,
): Promise<Accelerator> {
  if (wanted === "kvm" || wanted === "hvf") {
    return { kind: wanted, cpuModel: "host", reason: `CUMULUS_ACCEL asks for ${wanted}; it was not tested.` };
  }
  if (wanted === "tcg") return emulation("CUMULUS_ACCEL asks for software emulation (tcg).");
  return process.platform === "darwin" ? chooseOnMac() : chooseOnLinux(hostArch, scheme);
}

async function chooseOnMac(): Promise<Accelerator> {
  const { stdout } = await execa("sysctl", ["-n", "kern.hv_support"], { reject: false });
  if (stdout.trim() !== "1")
    return emulation("This Mac doesn't offer its hypervisor framework, so guests are emulated.");
  return { kind: "hvf", cpuModel: "host", reason: "macOS offers its hypervisor framework." };
}

async function chooseOnLinux(hostArch: Arch, scheme: UserScheme): Promise<Accelerator> {
  try {
    await access("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch (error) {
    const isMissing = messageOf(error).startsWith("ENOENT");
    return emulation(
      isMissing
        ? "There is no /dev/kvm: the processor's virtualization is off in the firmware, or this machine is a VM itself."
        : "/dev/kvm is there, but this user may not open it: join the group that owns it (often kvm).",
    );
  }
  const models = hostArch === "x86_64" ? ["host", "host,-arch-capabilities"] : ["host"];
  const findings: string[] = [];
  for (const cpuModel of models) {
    const run = await runProbe(hostArch, "kvm", cpuModel, null);
    if (run.isUsable) return asMachineUser(hostArch, cpuModel, run.finding, scheme.userOf(1));
    findings.push(`with the processor "${cpuModel}" ${run.finding}`);
  }
  return emulation(`/dev/kvm opens, but KVM doesn't work here: ${findings.join("; ")}.`);
}

/** KVM works for the agent; it is only of use if it also does for the user that a VM's QEMU runs as. */
async function asMachineUser(
  arch: Arch,
  cpuModel: string,
  finding: string,
  user: MachineUser | null,
): Promise<Accelerator> {
  const run = user === null ? { isUsable: true, finding } : await runProbe(arch, "kvm", cpuModel, user);
  if (run.isUsable) return { kind: "kvm", cpuModel, reason: `KVM works: ${run.finding}.` };
  return emulation(
    `KVM works for root but not for the users that VMs run as (${run.finding}). Give /dev/kvm to a group that may read and write it: chgrp kvm /dev/kvm && chmod 660 /dev/kvm`,
  );
}

function emulation(reason: string): Accelerator {
  return { kind: "tcg", cpuModel: emulatedCpuModel, reason };
}
