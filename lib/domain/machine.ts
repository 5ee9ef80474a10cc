import * as z from "zod";
import { archSchema, firmwareSchema } from "./arch";
import { firstBootReportSchema } from "./firstBootReport";
import { milestonesSchema } from "./timeline";
import { observedStates } from "./vmStatus";

/** What an error of a start names when the port of the host that leads to the VM's SSH is taken. */
export const sshPortField = "sshHostPort";

/**
 * What the control plane tells a host about a VM: all that is needed to start it without the database. It lies in the VM's
 * folder as `machine.json` (0600: the seed may hold passwords).
 */
const linkSchema = z.object({
  /** QEMU's id of the device: `net0`, `net1`, … */
  id: z.string().regex(/^net\d{1,2}$/),
  mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/),
  /** The network's range: "192.168.0.0/24". */
  cidr: z.string(),
  gateway: z.string(),
  dns: z.string(),
  ipv4: z.string(),
});
export const networkInterfaceSchema = z.discriminatedUnion("driver", [
  linkSchema.extend({
    driver: z.literal("user"),
    /** Port on the host's loopback that leads to the guest's port 22. */
    sshHostPort: z.number().int().min(1).max(65535),
    /** Whether it reaches nothing by itself: who connects to it by a forward is answered. */
    isRestricted: z.boolean().optional(),
  }),
  /** On a bridge of the host, which knows it by the networks' state (lib/domain/hostNetwork.ts) and reaches it by its address. */
  linkSchema.extend({ driver: z.literal("bridge"), id: z.string().regex(/^net[0-7]$/) }),
]);
export type NetworkInterface = z.infer<typeof networkInterfaceSchema>;
export type UserInterface = Extract<NetworkInterface, { driver: "user" }>;
export type BridgeInterface = Extract<NetworkInterface, { driver: "bridge" }>;

/** The port of the host's loopback that leads to a VM's SSH; null when no port does. */
export function sshHostPortOf({ interfaces }: { interfaces: readonly NetworkInterface[] }): number | null {
  const [first] = interfaces;
  return first?.driver === "user" ? first.sshHostPort : null;
}

export const networkDriverSchema = z.enum(["bridge", "user"]);
export type NetworkDriver = z.infer<typeof networkDriverSchema>;

/** How a QEMU that runs is connected, and where the host finds the VM's SSH server. */
export const liveLinkSchema = z.object({
  driver: networkDriverSchema,
  host: z.string(),
  port: z.number().int(),
  /** Whether QEMU was started so that the VM reaches nothing by its user-mode network. */
  isRestricted: z.boolean().optional(),
});
export type LiveLink = z.infer<typeof liveLinkSchema>;

/** What QEMU is started with of a first interface, where that is a user-mode network's. */
export interface StartedLink {
  /** The forward to SSH; null: there is none. */
  sshHostPort: number | null;
  isRestricted: boolean;
}

/** What QEMU is started with by this spec. */
export function startedLinkOf(spec: { interfaces: readonly NetworkInterface[] }): StartedLink {
  const [first] = spec.interfaces;
  return { sshHostPort: sshHostPortOf(spec), isRestricted: first?.driver === "user" && first.isRestricted === true };
}

/**
 * How a QEMU is connected that was started so; null for a VM without an interface. The spec may be a newer one, of another driver: an interface's address
 * stays, and its forward is QEMU's own.
 */
export function liveLinkOf(
  { interfaces: [first] }: { interfaces: readonly NetworkInterface[] },
  { sshHostPort, isRestricted }: StartedLink,
): LiveLink | null {
  if (first === undefined) return null;
  return sshHostPort === null
    ? { driver: "bridge", host: first.ipv4, port: 22 }
    : { driver: "user", host: "127.0.0.1", port: sshHostPort, ...(isRestricted && { isRestricted }) };
}

/** The three documents of a NoCloud seed (cloud-init, "NoCloud"); the two data ones are plain objects that a serializer writes. */
export const seedDocumentsSchema = z.object({
  metaData: z.record(z.string(), z.unknown()),
  /** `#cloud-config` as an object, or a script as text. */
  userData: z.union([z.object({ cloudConfig: z.record(z.string(), z.unknown()) }), z.object({ script: z.string() })]),
  networkConfig: z.record(z.string(), z.unknown()),
});
export type SeedDocuments = z.infer<typeof seedDocumentsSchema>;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** What the firmware tries first; the other one comes next. */
export const bootDeviceSchema = z.enum(["disk", "cdrom"]).meta({ id: "BootDevice" });
export type BootDevice = z.infer<typeof bootDeviceSchema>;

export const machineSpecSchema = z.object({
  id: z.number().int().positive(),
  /** SMBIOS and QMP uuid: by it a running QEMU is recognised as this VM's. */
  uuid: z.uuid(),
  arch: archSchema,
  firmware: firmwareSchema,
  vcpus: z.number().int().positive(),
  memoryBytes: z.number().int().positive(),
  disk: z.object({
    /** Null: it begins empty. */
    imageSha256: sha256Schema.nullable(),
    sizeBytes: z.number().int().positive(),
    /** The snapshot whose disk it starts from when it is made; the image is then the one below that snapshot. */
    snapshotId: z.number().int().positive().optional(),
    /** The image's UEFI variables, with which it starts when it is made; not given: with those of the snapshot, or empty ones. */
    variablesSha256: sha256Schema.optional(),
  }),
  /** The ISO in the CD-ROM drive, which every VM has; null: it is empty. */
  cdrom: z.object({ sha256: sha256Schema }).nullable().default(null),
  bootFrom: bootDeviceSchema.default("disk"),
  interfaces: z.array(networkInterfaceSchema).max(8),
  seed: seedDocumentsSchema,
});
export type MachineSpec = z.infer<typeof machineSpecSchema>;

/** What a host saw of a VM at a moment. */
export const observationSchema = z.object({
  id: z.number().int(),
  state: z.enum(observedStates),
  observedAt: z.iso.datetime(),
  /** Why it is in this state, for people, where there is something to say ("QEMU was ended by signal SIGKILL"). */
  reason: z.string().nullable(),
  /** How a stopped VM came to be so. Null unless `stopped`. */
  stoppedBy: z.enum(["request", "guest", "host-reboot"]).nullable(),
  pid: z.number().int().nullable(),
  /** Counts starts and resets: a reboot is done when it has grown. 0 before the first start. */
  bootCount: z.number().int(),
  /** Times of steps `disk` … `ssh` of the present boot (`disk` once, of the machine). */
  milestones: milestonesSchema,
  /** What the guest told of setting itself up, in its present boot. */
  firstBoot: firstBootReportSchema,
  /** The ISO that lies in the CD-ROM drive; a guest may eject it. */
  cdromSha256: z.string().nullable(),
  /** By its first interface; null while it is off. */
  link: liveLinkSchema.nullable().default(null),
  /** Whether the guest asked to be turned off or back on by a request that still waits for it (ACPI). */
  pendingAct: z.enum(["shutdown", "reboot"]).nullable(),
});
export type Observation = z.infer<typeof observationSchema>;
