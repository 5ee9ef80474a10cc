import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { observationSchema } from "../../domain/machine";
import { snapshotManifestSchema } from "../../domain/snapshotManifest";
import { pathsOf, type Settings } from "../../env";
import { isErrno, readTextIfThere, syncFolder, writeFileAtomic } from "../../system/files";
import { parseJson } from "../../system/json";
import { type LayerStore, layerIdSchema } from "../layers/layerStore";
import { hardwareSchema } from "../qemu/hardware";

/** What a host keeps of a snapshot (`snapshot.json`). */
const snapshotRecordSchema = z.object({
  manifest: snapshotManifestSchema,
  /** Its disk: this layer and all below it. */
  layerId: layerIdSchema,
  /** With memory: the machine that this memory fits into, and how far its guest had come. */
  running: z
    .object({
      hardware: hardwareSchema,
      milestones: observationSchema.shape.milestones,
      /** Whether the guest's agent answered then: only such a guest is told what time it is. */
      hasGuestAgent: z.boolean(),
    })
    .nullable(),
});
export type SnapshotRecord = z.infer<typeof snapshotRecordSchema>;

export type SnapshotFiles = ReturnType<typeof snapshotFiles>;

/** Files of a snapshot, in its folder. */
export function snapshotFiles(folder: string) {
  return {
    folder,
    record: join(folder, "snapshot.json"),
    memory: join(folder, "memory.state"),
    uefiVars: join(folder, "uefi-vars.fd"),
  };
}

/**
 * The snapshots of a host: `snapshots/<id>/`, the agent's alone. A snapshot is made under another name and gets its own when all that it needs is on the disk: it is there
 * whole or not at all.
 */
export class SnapshotStore {
  readonly folder: string;

  constructor(
    settings: Settings,
    private readonly layers: LayerStore,
  ) {
    this.folder = pathsOf(settings).snapshots;
  }

  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
  }

  files(id: number) {
    return snapshotFiles(join(this.folder, String(id)));
  }

  /** All whole ones, by id; one that can't be read is told to `onBroken` and left out. */
  async list(onBroken: (folder: string) => void = () => {}): Promise<SnapshotRecord[]> {
    const ids = (await readdir(this.folder)).filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number);
    const found = await Promise.all(ids.map((id) => this.find(id)));
    for (const [index, id] of ids.entries()) {
      // One that is removed meanwhile isn't broken.
      if (found[index] === null && (await exists(this.files(id).folder))) onBroken(this.files(id).folder);
    }
    return found.filter((record) => record !== null).sort((a, b) => a.manifest.id - b.manifest.id);
  }

  /** The snapshot with what its layer takes now, also one whose manifest an older Cumulus wrote; null when there is none. */
  async find(id: number): Promise<SnapshotRecord | null> {
    const text = await readTextIfThere(this.files(id).record);
    const record = text === null ? undefined : snapshotRecordSchema.safeParse(parseJson(text)).data;
    if (record?.manifest.id !== id) return null;
    const allBytes = (await this.layers.bytesOf(record.layerId)) ?? 0;
    const foldedBytes = Math.min(allBytes, (await this.layers.find(record.layerId))?.foldedBytes ?? 0);
    const hasGuestAgent = record.running?.hasGuestAgent ?? null;
    const manifest = { ...record.manifest, hasGuestAgent, diskBytes: allBytes - foldedBytes, foldedBytes };
    return { ...record, manifest };
  }

  /** As `find`; rejects with `not_found`. */
  async get(id: number): Promise<SnapshotRecord> {
    const record = await this.find(id);
    if (record !== null) return record;
    throw new CumulusError("not_found", `There is no snapshot ${id} on this host.`);
  }

  /** An empty folder for what belongs to a snapshot; swept after a crash. */
  async begin(id: number): Promise<SnapshotFiles> {
    const making = snapshotFiles(join(this.folder, `.making-${id}`));
    await rm(making.folder, { recursive: true, force: true });
    await mkdir(making.folder, { mode: 0o700 });
    return making;
  }

  async abandon(id: number): Promise<void> {
    await rm(join(this.folder, `.making-${id}`), { recursive: true, force: true });
  }

  /** From here on the snapshot is there. */
  async complete(record: SnapshotRecord): Promise<void> {
    const { id } = record.manifest;
    const making = snapshotFiles(join(this.folder, `.making-${id}`));
    await writeFileAtomic(making.record, `${JSON.stringify(record, null, 2)}\n`);
    await rename(making.folder, this.files(id).folder);
    await syncFolder(this.folder);
  }

  /** Removes it; done when there is none. Its layers stay: who else builds on them is not known here. */
  async remove(id: number, renamed: () => void): Promise<void> {
    const removing = join(this.folder, `.removing-${id}`);
    await rm(removing, { recursive: true, force: true });
    try {
      await rename(this.files(id).folder, removing);
      await syncFolder(this.folder);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    renamed();
    await rm(removing, { recursive: true, force: true });
  }

  /** Removes what crashes left half made or half removed. */
  async sweep(): Promise<string[]> {
    const swept = (await readdir(this.folder)).filter((name) => /^\.(making|removing)-\d+$/.test(name));
    for (const name of swept) await rm(join(this.folder, name), { recursive: true, force: true });
    return swept;
  }
}

async function exists(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => true,
    (error: unknown) => {
      if (isErrno(error, "ENOENT")) return false;
      throw error;
    },
  );
}

/** What a file takes on the host's disk; 0 when there is none. */
export async function allocatedBytes(file: string): Promise<number> {
  try {
    return (await stat(file)).blocks * 512;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return 0;
    throw error;
  }
}
