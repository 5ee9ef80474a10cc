import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { CumulusError } from "../../domain/errors";
import type { SnapshotFile } from "../../domain/snapshotFile";
import type { HostContext } from "../context";
import { backingFiles, readerOf } from "../diskFiles";
import { chainOf } from "../qemu/argv";
import { holdSnapshot } from "../snapshots/holdSnapshot";
import { OpenDisk } from "./openDisk";

/** How long a disk stays open that nobody looks into. */
const idleMs = 120_000;
/** Each takes some 500 MiB of memory while it is open. */
const maxOpen = 2;

interface Session {
  disk: Promise<OpenDisk>;
  letGo(): void;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** Looks into snapshots' file systems. Opening a disk takes some seconds, so it stays open for a while. */
export class Browser {
  private readonly sessions = new Map<number, Session>();

  constructor(private readonly context: HostContext) {}

  /** @throws CumulusError `not_found` for no such snapshot or folder, `rate_limited` when too many disks are open, `unavailable` */
  list(snapshotId: number, path: string): Promise<SnapshotFile[]> {
    return this.with(snapshotId, (disk) => disk.list(path));
  }

  /** A file's bytes. @throws as `list`; `bad_request` for what is no plain file, `too_large` */
  read(snapshotId: number, path: string): Promise<Readable> {
    return this.with(snapshotId, async (disk) => {
      const copy = join(disk.scratchFolder, randomBytes(8).toString("hex"));
      await disk.read(path, copy);
      const stream = createReadStream(copy);
      await new Promise<void>((resolve, reject) => stream.once("open", () => resolve()).once("error", reject));
      // Open, it can still be read; nothing is left when it is closed.
      await rm(copy);
      return stream;
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions.keys()].map((id) => this.end(id)));
  }

  private async with<T>(snapshotId: number, act: (disk: OpenDisk) => Promise<T>): Promise<T> {
    const session = this.sessions.get(snapshotId) ?? (await this.open(snapshotId));
    session.users += 1;
    clearTimeout(session.timer);
    try {
      return await act(await session.disk);
    } catch (error) {
      // A machine that has ended is of no more use.
      if (error instanceof CumulusError && error.code === "unavailable") await this.end(snapshotId);
      throw error;
    } finally {
      session.users -= 1;
      if (session.users === 0) session.timer = setTimeout(() => void this.end(snapshotId), idleMs);
    }
  }

  private async open(snapshotId: number): Promise<Session> {
    await this.makeRoom();
    const { context } = this;
    const record = await context.snapshots.get(snapshotId);
    const letGo = await holdSnapshot(context, record);
    const present = this.sessions.get(snapshotId);
    if (present) {
      letGo();
      return present;
    }
    const session: Session = { disk: this.openDisk(record), letGo, users: 0, timer: undefined };
    this.sessions.set(snapshotId, session);
    return session;
  }

  private async openDisk({ layerId, manifest }: { layerId: string; manifest: { vmId: number } }): Promise<OpenDisk> {
    const layers = await this.context.layers.chain(layerId);
    const node = chainOf(backingFiles(this.context, layers, layers.at(-1)?.imageSha256 ?? null));
    if (node === null) throw new CumulusError("internal", "The snapshot has no disk.");
    return OpenDisk.open(this.context, node, readerOf(this.context, manifest.vmId, layers));
  }

  /** The one that nobody looks into goes first. */
  private async makeRoom(): Promise<void> {
    if (this.sessions.size < maxOpen) return;
    const idle = [...this.sessions].find(([, { users }]) => users === 0);
    if (!idle) {
      throw new CumulusError("rate_limited", "Other snapshots are being looked into: try again in a moment.", {
        retryAfterSeconds: 10,
      });
    }
    await this.end(idle[0]);
  }

  private async end(snapshotId: number): Promise<void> {
    const session = this.sessions.get(snapshotId);
    if (!session) return;
    this.sessions.delete(snapshotId);
    clearTimeout(session.timer);
    const disk = await session.disk.catch(() => null);
    await disk?.close();
    session.letGo();
  }
}
