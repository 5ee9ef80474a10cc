import * as z from "zod";
import { archSchema } from "./arch";

export const acceleratorKindSchema = z.enum(["kvm", "hvf", "tcg"]);
export type AcceleratorKind = z.infer<typeof acceleratorKindSchema>;

export const acceleratorSchema = z
  .object({
    kind: acceleratorKindSchema,
    /** Why this one, in a sentence: "/dev/kvm opens, but …". */
    reason: z.string(),
    /** The `-cpu` model that worked. */
    cpuModel: z.string(),
  })
  .meta({ id: "Accelerator" });
export type Accelerator = z.infer<typeof acceleratorSchema>;

/** The code in `degraded` of a host on which all VMs, and the machines of work on images, run as one user. */
export const sharedUser = "shared-user";
/** The code in `degraded` of a host that has user-mode networks though it was to have bridges. */
export const noBridgeCode = "no-bridge";

export const hostReportSchema = z
  .object({
    hostname: z.string(),
    arch: archSchema,
    /** "Debian GNU/Linux 12 (bookworm)". */
    os: z.string(),
    kernel: z.string(),
    accelerator: acceleratorSchema,
    network: z.object({
      driver: z.enum(["bridge", "user"]),
      reason: z.string(),
      /** Fingerprint of the state of networks that is in effect; null when none is as it should be. Absent in a report of an earlier version. */
      applied: z.string().nullable().optional(),
    }),
    /** Whether the agent is root: own uid per VM, bridges. */
    isPrivileged: z.boolean(),
    cpuCount: z.number().int(),
    memoryTotalBytes: z.number().int(),
    memoryAvailableBytes: z.number().int(),
    /** The file system of the data folder. */
    diskTotalBytes: z.number().int(),
    diskFreeBytes: z.number().int(),
    versions: z.object({ agent: z.string(), node: z.string(), qemu: z.string() }),
    /** Guest architectures whose QEMU is installed. */
    guestArchs: z.array(archSchema),
    /** Those of them that may boot by UEFI, for its firmware is installed. Absent in a report of an earlier version. */
    uefiArchs: z.array(archSchema).optional(),
    /** Whether also a guest that changes its memory faster than it is copied runs on while it is written for a snapshot, or stands still until that is done. Absent in a report of an earlier version. */
    memorySnapshots: z.enum(["live", "stopped"]).optional(),
    /** What works less well than it could, and what to do about it. */
    degraded: z.array(z.object({ code: z.string(), message: z.string() })),
    bootId: z.string(),
    startedAt: z.iso.datetime(),
  })
  .meta({ id: "HostReport" });
export type HostReport = z.infer<typeof hostReportSchema>;

export const hostSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    isReachable: z.boolean(),
    lastSeenAt: z.iso.datetime().nullable(),
    report: hostReportSchema.nullable(),
    /** Why changes of networks, firewalls, forwards or limits are not in effect yet; null when all are. */
    networksPending: z.string().nullable(),
    /** What VMs that run, or are to run, were promised of the host's memory. */
    memoryPromisedBytes: z.number().int(),
    /** What is left to promise. */
    memoryFreeBytes: z.number().int(),
    vmCount: z.number().int(),
  })
  .meta({ id: "Host" });
export type Host = z.infer<typeof hostSchema>;

/**
 * Memory that VMs may be promised on a host: all but what the host itself and Cumulus need (a tenth, at least 512 MiB, at most 4 GiB).
 */
export function promisableMemoryBytes(totalBytes: number): number {
  const reserve = Math.min(Math.max(totalBytes / 10, 512 * 1024 ** 2), 4 * 1024 ** 3);
  return Math.max(0, Math.floor(totalBytes - reserve));
}
