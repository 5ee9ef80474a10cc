import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { readTextIfThere } from "../../system/files";
import type { FileFact, InstallationPaths, MachineFact, ManifestFact, PidFileFact } from "../snapshot";
import { gatherDisk } from "./disk";
import { gatherDiskRecord } from "./layers";
import { gatherLiving } from "./processes";

/** As much of each record as is compared with something else. */
const specSchema = z.object({
  id: z.number(),
  uuid: z.string(),
  disk: z.object({ imageSha256: z.string().nullable() }),
  cdrom: z.object({ sha256: z.string() }).nullable().default(null),
  interfaces: z.array(z.object({ mac: z.string(), ipv4: z.string(), sshHostPort: z.number().optional() })).min(1),
});
const identitySchema = z.object({ pid: z.number(), startTime: z.string() });
const stateSchema = z.object({
  process: identitySchema.nullable(),
  sshHostPort: z.number().nullable().default(null),
  restoring: z.object({}).nullable().default(null),
});
const manifestSchema = z.object({ sha256: z.string(), name: z.string() });

type Files = ReadonlyMap<string, FileFact>;

/** What the folders of VMs say of themselves. */
export async function gatherMachines(files: Files, paths: InstallationPaths): Promise<MachineFact[]> {
  const found: MachineFact[] = [];
  for (const folder of files.keys()) {
    const name = basename(folder);
    if (dirname(folder) !== paths.machines || !/^\d+$/.test(name)) continue;
    const record = await gatherDiskRecord(folder);
    const diskPath = join(folder, record?.disk ?? "disk.qcow2");
    const disk = files.get(diskPath);
    const state = await readRecord(join(folder, "state.json"), stateSchema);
    const recordedProcess = state?.process ? await gatherLiving(state.process.pid, state.process.startTime) : null;
    const spec = await readSpec(join(folder, "machine.json"));
    found.push({
      id: Number(name),
      spec,
      startedWithPort: state ? state.sshHostPort : (spec?.sshHostPort ?? null),
      recordedProcess,
      isBeingRestored: state?.restoring != null,
      record,
      disk: disk ? await gatherDisk(diskPath, disk, recordedProcess === null) : null,
    });
  }
  return found;
}

export async function gatherManifests(files: Files, paths: InstallationPaths): Promise<ManifestFact[]> {
  const manifests = [...files].filter(([path]) => dirname(path) === paths.images && path.endsWith(".json"));
  return Promise.all(
    manifests.map(async ([path, { modifiedAtMs }]) => {
      const image = (await readRecord(path, manifestSchema)) ?? null;
      return { path, image, modifiedAtMs };
    }),
  );
}

/** Pid files of Cumulus' own parts that name a process which lives; others are stale, and harmless. */
export async function gatherPidFiles(files: Files, paths: InstallationPaths): Promise<PidFileFact[]> {
  const pidFiles = [...files.keys()].filter((path) => dirname(path) === paths.runDir && path.endsWith(".pid"));
  const found = await Promise.all(
    pidFiles.map(async (path) => {
      const record = await readRecord(path, identitySchema);
      return { path, process: record ? await gatherLiving(record.pid, record.startTime) : null };
    }),
  );
  return found.flatMap(({ path, process }) => (process ? [{ path, process }] : []));
}

async function readSpec(path: string): Promise<MachineFact["spec"]> {
  const spec = await readRecord(path, specSchema);
  const [link] = spec?.interfaces ?? [];
  if (!spec || !link) return null;
  const { mac, ipv4, sshHostPort = null } = link;
  const media = { imageSha256: spec.disk.imageSha256, cdromSha256: spec.cdrom?.sha256 ?? null };
  return { id: spec.id, uuid: spec.uuid, ...media, mac, ipv4, sshHostPort };
}

async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readTextIfThere(path);
  try {
    return text === null ? undefined : schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
