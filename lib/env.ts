import { createHash } from "node:crypto";
import { homedir, platform } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { CumulusError } from "./domain/errors";

const portProblem = "ports are 1 to 65535";

const envSchema = z.object({
  PORT: z.coerce.number(portProblem).int(portProblem).min(1, portProblem).max(65535, portProblem).default(3000),
  HOST: z.string().min(1).default("127.0.0.1"),
  CUMULUS_DATA_DIR: z.string().min(1).optional(),
  DATABASE_URL: z.string().min(1).optional(),
  CUMULUS_ACCEL: z.enum(["auto", "kvm", "hvf", "tcg"]).default("auto"),
  CUMULUS_NETWORK: z.enum(["auto", "bridge", "user"]).default("auto"),
  CUMULUS_LAB: z.enum(["0", "1"]).default("0"),
  CUMULUS_STOP_VMS: z.enum(["0", "1"]).default("0"),
  CUMULUS_ALLOWED_HOSTS: z.string().default(""),
  // Empty is none: a compose file can't leave one out.
  CUMULUS_IMAGE_MIRROR: z.preprocess((value) => value || undefined, z.url({ protocol: /^https?$/ }).optional()),
  CUMULUS_IMAGE_HOSTS: z.string().default(""),
});

/** What people set in the environment (the README's configuration table), but for LOG_LEVEL, which the log reads itself. */
export interface Settings {
  port: number;
  host: string;
  /** What must outlive a reboot. */
  dataDir: string;
  /** Sockets and pid files: a short path, since a unix socket's holds 107 bytes (unix(7)). */
  runDir: string;
  databaseUrl: string | undefined;
  accelerator: "auto" | "kvm" | "hvf" | "tcg";
  network: "auto" | "bridge" | "user";
  isLab: boolean;
  /** Whether VMs are shut down with Cumulus, to be brought back by its next start: for where they would end with it anyway. */
  stopsVms: boolean;
  /** Further names by which browsers may reach the console, such as a reverse proxy's. Lower case. */
  allowedHosts: string[];
  /** Where the catalogue's images are fetched from instead of their makers: `https://host/path` as `MIRROR/host/path`. Null: the makers. */
  imageMirror: string | null;
  /** Hosts (`name` or `name:port`, lower case) from which images may be fetched though their addresses are private. */
  imageHosts: string[];
}

/** Reads and checks the environment. Throws `bad_request` with one sentence that names the variable. */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const parsed = envSchema.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CumulusError(
      "bad_request",
      `The environment variable ${issue?.path.join(".")} is not usable: ${issue?.message}.`,
    );
  }
  const values = parsed.data;
  const dataDir = resolve(/* turbopackIgnore: true */ values.CUMULUS_DATA_DIR ?? defaultDataDir(env));
  return {
    port: values.PORT,
    host: values.HOST,
    dataDir,
    runDir: runDirOf(dataDir, env),
    databaseUrl: values.DATABASE_URL,
    accelerator: values.CUMULUS_ACCEL,
    network: values.CUMULUS_NETWORK,
    isLab: values.CUMULUS_LAB === "1",
    stopsVms: values.CUMULUS_STOP_VMS === "1",
    allowedHosts: listOf(values.CUMULUS_ALLOWED_HOSTS),
    imageMirror: values.CUMULUS_IMAGE_MIRROR ?? null,
    imageHosts: listOf(values.CUMULUS_IMAGE_HOSTS),
  };
}

/** Names parted by commas, in lower case. */
function listOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (isRoot()) return "/var/lib/cumulus";
  if (platform() === "darwin") return join(homedir(), "Library", "Application Support", "cumulus");
  return join(env.XDG_DATA_HOME ?? join(homedir(), ".local", "share"), "cumulus");
}

/** One run folder per data folder, so that several installations on one machine don't meet. */
function runDirOf(dataDir: string, env: NodeJS.ProcessEnv): string {
  const key = createHash("sha256").update(dataDir).digest("hex").slice(0, 8);
  if (env.CUMULUS_RUN_DIR) return env.CUMULUS_RUN_DIR;
  if (isRoot() && platform() === "linux") return join("/run/cumulus", key);
  return join(env.XDG_RUNTIME_DIR ?? "/tmp", `cumulus-${process.getuid?.() ?? 0}-${key}`);
}

/** Where things lie. Pure. */
export function pathsOf(settings: Pick<Settings, "dataDir" | "runDir">) {
  const { dataDir, runDir } = settings;
  return {
    images: join(dataDir, "images"),
    /** The administrator's own entries of the catalogue, where there are any. */
    catalogue: join(dataDir, "catalogue.d"),
    staging: join(dataDir, "staging"),
    /** What libguestfs opens disks with, kept for the next time. */
    appliance: join(dataDir, "appliance"),
    tasks: join(dataDir, "tasks"),
    exports: join(dataDir, "exports"),
    machines: join(dataDir, "vms"),
    layers: join(dataDir, "layers"),
    snapshots: join(dataDir, "snapshots"),
    postgresData: join(dataDir, "postgres"),
    logs: join(dataDir, "logs"),
    adminToken: join(dataDir, "admin-token"),
    authSecret: join(dataDir, "auth-secret"),
    agentSocket: join(runDir, "agent", "agent.sock"),
    postgresSocketDir: join(runDir, "postgres"),
    machineSockets: join(runDir, "vms"),
    /** What libguestfs writes while it has a disk open: its sockets, and other small files. */
    guestfsScratch: join(runDir, "guestfs"),
  };
}
