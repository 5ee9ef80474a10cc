import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { isErrno, readTextIfThere } from "../../system/files";
import { asUser } from "../../system/machineUsers";
import type { DiskRecordFact, FileFact, InstallationPaths, LayerFact, SnapshotFolderFact } from "../snapshot";

type Files = ReadonlyMap<string, FileFact>;

const layerSchema = z.object({ id: z.string(), parent: z.string().nullable(), imageSha256: z.string().nullable() });
const fileNameSchema = z.string().regex(/^[\w.-]+$/);
interface ReplacedFiles {
  disk: string;
  uefiVars: string;
  parent: string | null;
  replaced: ReplacedFiles | null;
}
const replacedSchema: z.ZodType<ReplacedFiles> = z.object({
  disk: fileNameSchema,
  uefiVars: fileNameSchema,
  parent: z.string().nullable(),
  replaced: z.lazy(() => replacedSchema.nullable().default(null)),
});
const diskRecordSchema = z.object({
  disk: fileNameSchema,
  uefiVars: fileNameSchema,
  parent: z.string().nullable(),
  cut: z.object({ layerId: z.string(), disk: z.string() }).nullable(),
  replaced: replacedSchema.nullable().default(null),
});
const snapshotSchema = z.object({
  layerId: z.string(),
  manifest: z.object({ id: z.number(), hasMemory: z.boolean() }),
});

const timeoutMs = 120_000;
/** Nobody's: what a layer's header says is a guest's word. */
const readerId = 65_534;

/** Every layer that has a file or a manifest; one that a merge took away since the files were listed is left out. */
export async function gatherLayers(files: Files, paths: InstallationPaths): Promise<LayerFact[]> {
  const names = [...files.keys()].filter((path) => dirname(path) === paths.layers).map((path) => basename(path));
  const ids = new Set(names.flatMap((name) => /^([0-9a-f]{16})\.(?:qcow2|json)$/.exec(name)?.[1] ?? []));
  const facts = await Promise.all([...ids].map((id) => gatherLayer(id, files, paths)));
  return facts.filter((fact) => fact !== null);
}

async function gatherLayer(id: string, files: Files, paths: InstallationPaths): Promise<LayerFact | null> {
  const file = join(paths.layers, `${id}.qcow2`);
  const manifest = await readRecord(join(paths.layers, `${id}.json`), layerSchema);
  const fact = { id, manifest: manifest?.id === id ? manifest : null, hasFile: files.has(file) };
  if (!fact.hasFile) return { ...fact, damage: null };
  try {
    const damage = await damageOf(file, await readerOf(file));
    // Of a file that has gone meanwhile, qemu-img says that too.
    if (damage !== null) await stat(file);
    return { ...fact, damage };
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** Every folder of a snapshot. */
export async function gatherSnapshotFolders(files: Files, paths: InstallationPaths): Promise<SnapshotFolderFact[]> {
  const folders = [...files.keys()].filter((path) => dirname(path) === paths.snapshots && /^\d+$/.test(basename(path)));
  return Promise.all(
    folders.map(async (folder) => {
      const record = await readRecord(join(folder, "snapshot.json"), snapshotSchema);
      const id = Number(basename(folder));
      const isWhole =
        record?.manifest.id === id && (!record.manifest.hasMemory || files.has(join(folder, "memory.state")));
      return { id, layerId: isWhole ? record.layerId : null };
    }),
  );
}

/** Which files are a VM's disk; null when its record can't be read. */
export async function gatherDiskRecord(folder: string): Promise<DiskRecordFact | null> {
  const path = join(folder, "disk.json");
  if ((await readTextIfThere(path)) === null) {
    return { disk: "disk.qcow2", uefiVars: "uefi-vars.fd", parent: null, cutDisk: null, replaced: [], otherLayers: [] };
  }
  const record = await readRecord(path, diskRecordSchema);
  if (record === undefined) return null;
  const { disk, uefiVars, parent, cut, replaced } = record;
  const had = disksIn(replaced);
  return {
    ...{ disk, uefiVars, parent, cutDisk: cut?.disk ?? null },
    replaced: had.flatMap((one) => [one.disk, one.uefiVars]),
    otherLayers: [cut?.layerId, ...had.map((one) => one.parent)].filter((id) => id != null),
  };
}

function disksIn(replaced: ReplacedFiles | null): ReplacedFiles[] {
  return replaced === null ? [] : [replaced, ...disksIn(replaced.replaced)];
}

/**
 * What `qemu-img check` says against a disk that nobody writes; null when it is sound. Clusters that a crash left unused are no damage.
 * @param reader whose rights it is read with; null: our own
 */
export async function damageOf(path: string, reader: { uid: number; gids: number[] } | null): Promise<string | null> {
  const source = `json:${JSON.stringify({ driver: "qcow2", backing: null, file: { driver: "file", filename: path } })}`;
  const args = ["check", "-q", "--force-share", source];
  const command = asUser(reader && userOf(reader), "qemu-img", args);
  const { exitCode, stderr, stdout } = await execa(command.program, command.args, {
    reject: false,
    stdin: "ignore",
    timeout: timeoutMs,
  });
  const leaksOnly = 3;
  if (exitCode === 0 || exitCode === leaksOnly) return null;
  return `${stdout}\n${stderr}`.trim().split("\n").at(-1) ?? "qemu-img check failed";
}

async function readerOf(file: string): Promise<{ uid: number; gids: number[] } | null> {
  if (process.getuid?.() !== 0) return null;
  const [own, folder] = await Promise.all([stat(file), stat(dirname(file))]);
  return { uid: readerId, gids: [own.gid, folder.gid] };
}

function userOf({ uid, gids }: { uid: number; gids: number[] }) {
  const [first = uid, ...rest] = gids;
  return { uid, gid: uid, imagesGid: first, layersGid: first, extraGids: rest };
}

async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readTextIfThere(path);
  try {
    return text === null ? undefined : schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
