import { statfs } from "node:fs/promises";
import { cpus, freemem, hostname, release, totalmem, type } from "node:os";
import { execa } from "execa";
import { type Arch, archOfNode, archSchema } from "../domain/arch";
import { CumulusError } from "../domain/errors";
import { type HostReport, noBridgeCode, sharedUser } from "../domain/host";
import type { BrokenForward } from "../domain/hostNetwork";
import { readTextIfThere } from "../system/files";
import { cumulusVersion } from "../version";
import type { HostContext } from "./context";
import { closedFolder } from "./folders";
import { hasUefi } from "./qemu/firmware";
import { whyMemoryStopsGuests } from "./snapshots/userfaultfd";

/** This computer's architecture. Throws `unavailable` where Cumulus has no guests for it. */
export function hostArch(): Arch {
  const arch = archOfNode(process.arch);
  if (arch) return arch;
  throw new CumulusError("unavailable", `Cumulus runs on x86_64 and aarch64; this computer is ${process.arch}.`);
}

export async function readHostReport(
  context: HostContext,
  startedAt: string,
  brokenForwards: readonly BrokenForward[],
): Promise<HostReport> {
  const { settings, users, networks } = context;
  const [accelerator, disk, memory, versions, os] = await Promise.all([
    context.accelerator(),
    statfs(settings.dataDir),
    readMemory(),
    readQemuVersions(),
    readOs(),
  ]);
  const arch = hostArch();
  const whyMemoryStops = await whyMemoryStopsGuests();
  return {
    hostname: hostname(),
    arch,
    os,
    kernel: release(),
    accelerator,
    network: { driver: networks.driver, reason: networks.reason, applied: networks.applied },
    isPrivileged: users.kind !== "own",
    cpuCount: cpus().length,
    memoryTotalBytes: memory.total,
    memoryAvailableBytes: memory.available,
    diskTotalBytes: disk.blocks * disk.bsize,
    diskFreeBytes: disk.bavail * disk.bsize,
    versions: { agent: cumulusVersion, node: process.version, qemu: versions[arch] ?? "not installed" },
    guestArchs: archSchema.options.filter((guest) => versions[guest] !== undefined),
    uefiArchs: await readUefiArchs(),
    memorySnapshots: whyMemoryStops === null ? "live" : "stopped",
    degraded: [
      ...(await readDegraded(context, accelerator.kind, versions[arch], brokenForwards)),
      ...(whyMemoryStops === null ? [] : [{ code: "memory-snapshots", message: whyMemoryStops }]),
    ],
    bootId: context.bootId,
    startedAt,
  };
}

async function readDegraded(
  { settings, users, networks }: HostContext,
  accelerator: string,
  qemuVersion: string | undefined,
  brokenForwards: readonly BrokenForward[],
): Promise<HostReport["degraded"]> {
  const closed = await closedFolder(settings, users);
  const all: [boolean, string, string][] = [
    [
      qemuVersion === undefined,
      "no-qemu",
      "QEMU is not installed. On Debian or Ubuntu: apt install qemu-system qemu-utils",
    ],
    [
      accelerator === "tcg",
      "tcg",
      "Guests are emulated in software: many times slower than with KVM, and QEMU itself says that under TCG the guest boundary is no security boundary. Don't run guests that you don't trust.",
    ],
    [
      users.kind === "own",
      "unprivileged",
      "The agent is not root on Linux: all VMs run as its own user, and networks are user-mode (a VM is reached by a forwarded SSH port).",
    ],
    [
      users.kind === "shared",
      sharedUser,
      "This user namespace has too few user ids: all VMs share one, so a guest that broke out could reach the others' disks.",
    ],
    [
      closed !== null,
      "closed-folder",
      `VMs run as users of their own, and these can't pass through ${closed}: no VM can start. Run: chmod o+x ${closed}`,
    ],
    [
      networks.driver === "user" &&
        (settings.network === "bridge" || (settings.network === "auto" && users.kind !== "own")),
      noBridgeCode,
      `VMs have user-mode networks: no addresses that this host reaches, no firewalls, and forwards on the loopback alone. ${networks.reason}`,
    ],
    [networks.problem !== null, "networks", networks.problem ?? ""],
    [brokenForwards.length > 0, "forwards", brokenForwards.map(({ reason }) => reason).join(" ")],
    [networks.warning !== null, "network-routes", networks.warning ?? ""],
  ];
  return all.filter(([applies]) => applies).map(([, code, message]) => ({ code, message }));
}

async function readUefiArchs(): Promise<Arch[]> {
  const archs: Arch[] = [];
  for (const arch of archSchema.options) if (await hasUefi(arch)) archs.push(arch);
  return archs;
}

/** Versions of the QEMU binaries that are there. */
async function readQemuVersions(): Promise<Partial<Record<Arch, string>>> {
  const versions: Partial<Record<Arch, string>> = {};
  for (const arch of archSchema.options) {
    const { stdout, failed } = await execa(`qemu-system-${arch}`, ["--version"], { reject: false });
    const version = /version (\S+)/.exec(stdout ?? "")?.[1];
    if (!failed && version) versions[arch] = version;
  }
  return versions;
}

/** proc(5): MemAvailable is what can be had without swapping; elsewhere the system's free memory has to do. */
async function readMemory(): Promise<{ total: number; available: number }> {
  const meminfo = await readTextIfThere("/proc/meminfo");
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo ?? "")?.[1];
  return { total: totalmem(), available: available ? Number(available) * 1024 : freemem() };
}

async function readOs(): Promise<string> {
  if (process.platform === "darwin") {
    const { stdout } = await execa("sw_vers", ["-productVersion"], { reject: false });
    return `macOS ${stdout}`.trim();
  }
  const release = await readTextIfThere("/etc/os-release");
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release ?? "")?.[1] ?? type();
}
