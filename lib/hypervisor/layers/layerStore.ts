import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { pathsOf, type Settings } from "../../env";
import { isErrno, readTextIfThere, syncFile, syncFolder, writeFileAtomic } from "../../system/files";
import { parseJson } from "../../system/json";
import { imagesGid, type UserScheme } from "../../system/machineUsers";

export const layerIdSchema = z.string().regex(/^[0-9a-f]{16}$/);

/** What lies beside a layer as `<id>.json`: its header's own word on what it builds on is not believed. */
const layerManifestSchema = z.object({
  id: layerIdSchema,
  /** The layer under it; null: the image, or nothing. */
  parent: layerIdSchema.nullable(),
  /** At the bottom; null: nothing. */
  imageSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** The VM that wrote it: with it goes the group that may read it. */
  vmId: z.number().int().positive(),
  virtualBytes: z.number().int().positive(),
  /** The path under which that VM's QEMU opened it, while it was the VM's disk. */
  openedAs: z.string(),
  /** The snapshot that the VM's disk stood on when it became this layer; null: none, or it was not noted. */
  snapshotBelow: z.number().int().positive().nullable().default(null),
  /** How many times folding has taken layers into it (`plan.ts`). */
  level: z.number().int().nonnegative().default(0),
  /** Of what it takes on the host's disk, what folding has copied into it, which layers below hold as well or held. */
  foldedBytes: z.number().int().nonnegative().default(0),
});
export type Layer = z.infer<typeof layerManifestSchema>;

export const newLayerId = (): string => randomBytes(8).toString("hex");

/**
 * What VMs' disks and snapshots build on: `layers/<id>.qcow2`, each with its manifest. What a layer reads as never changes; the file may
 * be replaced by one that holds more of what is below it.
 *
 * Invariants: a manifest is written before its file gets its name and removed before the file goes, so a file without a manifest is a crash's; what a
 * layer names as its parent is there. Readers never see less: a file that is replaced lives on for those who have it open.
 */
export class LayerStore {
  readonly folder: string;
  private readonly holds = new Map<string, number>();
  private work: Promise<unknown> = Promise.resolve();

  constructor(
    settings: Settings,
    private readonly users: UserScheme,
  ) {
    this.folder = pathsOf(settings).layers;
  }

  /** VMs pass through the folder to the layers that they are told of, and list none. */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const gid = await imagesGid();
    if (gid === null) return;
    await chown(this.folder, 0, gid);
    await chmod(this.folder, 0o710);
  }

  file(id: string): string {
    return join(this.folder, `${id}.qcow2`);
  }

  /** The layer's new file while it is being merged; swept after a crash. */
  mergingFile(id: string): string {
    return join(this.folder, `.merging-${id}.qcow2`);
  }

  /** One change of who builds on what at a time. */
  locked<T>(act: () => Promise<T>): Promise<T> {
    const result = this.work.then(act, act);
    this.work = result.catch(() => undefined);
    return result;
  }

  /** All that are there; one that is removed meanwhile may be left out. Rejects with `internal` when a manifest can't be read. */
  async list(): Promise<Layer[]> {
    const names = (await readdir(this.folder)).filter((name) => /^[0-9a-f]{16}\.json$/.test(name));
    const layers = await Promise.all(
      names.map(async (name) => {
        const id = name.slice(0, 16);
        const text = await readTextIfThere(this.manifestFile(id));
        if (text === null) return null;
        return parseManifest(id, text) ?? this.missing(id);
      }),
    );
    return layers.filter((layer) => layer !== null);
  }

  /** Null when there is no such layer, or its manifest can't be read. */
  async find(id: string): Promise<Layer | null> {
    const text = await readTextIfThere(this.manifestFile(id));
    return text === null ? null : parseManifest(id, text);
  }

  /** As `find`; rejects with `internal`. */
  async read(id: string): Promise<Layer> {
    return (await this.find(id)) ?? this.missing(id);
  }

  private missing(id: string): never {
    throw new CumulusError(
      "internal",
      `The layer ${this.file(id)}, on which a disk builds, is missing or has no manifest that can be read. Bring the file and ${id}.json back.`,
    );
  }

  /** The layers from this one down to the image, the top first. */
  async chain(top: string | null): Promise<Layer[]> {
    const layers: Layer[] = [];
    for (let id = top; id !== null; id = layers.at(-1)?.parent ?? null) layers.push(await this.read(id));
    return layers;
  }

  async write(layer: Layer): Promise<void> {
    await writeFileAtomic(this.manifestFile(layer.id), `${JSON.stringify(layer)}\n`);
  }

  /**
   * Makes a layer's file of one that nobody writes any more: read-only, and only for VMs that build on it.
   * @returns false when there is no such file: it was moved in before, or is lost
   */
  async moveIn(layer: Pick<Layer, "id" | "vmId">, from: string): Promise<boolean> {
    const gid = this.users.userOf(layer.vmId)?.layersGid ?? null;
    try {
      if (gid !== null) await chown(from, 0, gid);
      await chmod(from, gid === null ? 0o400 : 0o440);
      await syncFile(from);
      await rename(from, this.file(layer.id));
    } catch (error) {
      if (isErrno(error, "ENOENT")) return false;
      throw error;
    }
    await syncFolder(this.folder);
    return true;
  }

  async remove(id: string): Promise<void> {
    await rm(this.manifestFile(id), { force: true });
    await syncFolder(this.folder);
    await rm(this.file(id), { force: true });
  }

  /** What the layer takes on the host's disk; null when there is no such file. */
  async bytesOf(id: string): Promise<number | null> {
    try {
      return (await stat(this.file(id))).blocks * 512;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return null;
      throw error;
    }
  }

  /** Keeps a layer for as long as something is made of it. To be called within `locked`. Returns the way to let go. */
  hold(id: string): () => void {
    this.holds.set(id, (this.holds.get(id) ?? 0) + 1);
    return () => {
      const left = (this.holds.get(id) ?? 1) - 1;
      if (left === 0) this.holds.delete(id);
      else this.holds.set(id, left);
    };
  }

  /** Keeps a layer and all below it: what is read at once must be there at once. Returns them, the top first, and the way to let go. */
  holdChain(top: string | null): Promise<{ layers: Layer[]; letGo: () => void }> {
    return this.locked(async () => {
      const layers = await this.chain(top);
      const holds = layers.map(({ id }) => this.hold(id));
      const letGo = () => {
        for (const release of holds.splice(0)) release();
      };
      return { layers, letGo };
    });
  }

  isHeld(id: string): boolean {
    return this.holds.has(id);
  }

  /** Removes files that belong to no layer: a crash's. */
  async sweep(): Promise<string[]> {
    const names = await readdir(this.folder);
    const swept = names.filter((name) => {
      const id = /^([0-9a-f]{16})\.qcow2$/.exec(name)?.[1];
      return id === undefined ? /^\.(merging|exporting)-|\.tmp$/.test(name) : !names.includes(`${id}.json`);
    });
    for (const name of swept) await rm(join(this.folder, name), { recursive: true, force: true });
    return swept;
  }

  private manifestFile(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

function parseManifest(id: string, text: string): Layer | null {
  const parsed = layerManifestSchema.safeParse(parseJson(text)).data;
  return parsed?.id === id ? parsed : null;
}
