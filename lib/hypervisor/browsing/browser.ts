import { Readable } from "node:stream";
import { CumulusError } from "../../domain/errors";
import type { SnapshotFolder } from "../../domain/snapshotFile";
import type { HostContext } from "../context";
import { backingFiles, readerOf } from "../diskFiles";
import { chainOf } from "../qemu/argv";
import { holdSnapshot } from "../snapshots/holdSnapshot";
import { CommandError } from "./guestfish";
import { OpenDisk } from "./openDisk";

/** How long a disk stays open that nobody looks into. */
const idleMs = 120_000;
/** Each takes some 500 MiB of memory while it is open. */
const maxOpen = 2;
/** As much of a file as is read at once, into memory. */
const partBytes = 8 * 1024 ** 2;

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
  list(snapshotId: number, path: string): Promise<SnapshotFolder> {
    return this.with(snapshotId, (disk) => disk.list(path));
  }

  /** A file's bytes, read as they are asked for, and kept nowhere. @throws as `list`; `bad_request` for what is no plain file */
  async read(snapshotId: number, path: string): Promise<Readable> {
    const sizeBytes = await this.with(snapshotId, (disk) => disk.sizeOf(path));
    return Readable.from(this.parts(snapshotId, path, sizeBytes), { objectMode: false, highWaterMark: 1 });
  }

  private async *parts(snapshotId: number, path: string, sizeBytes: number): AsyncGenerator<Buffer> {
    for (let offset = 0; offset < sizeBytes; offset += partBytes) {
      const length = Math.min(partBytes, sizeBytes - offset);
      // A reader that makes a long pause finds the disk closed: it is opened anew.
      yield await this.with(snapshotId, (disk) => disk.readPart(path, offset, length));
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions.keys()].map((id) => this.end(id)));
  }

  private async with<T>(snapshotId: number, act: (disk: OpenDisk) => Promise<T>): Promise<T> {
    const session = this.sessions.get(snapshotId) ?? (await this.open(snapshotId));
    session.users += 1;
    clearTimeout(session.timer);
    try {
      return await act(await this.opened(snapshotId, session));
    } catch (error) {
      // A machine that has ended is of no more use.
      const isOver = error instanceof CumulusError && error.code === "unavailable" && !(error instanceof CommandError);
      if (isOver) await this.end(snapshotId);
      throw error;
    } finally {
      session.users -= 1;
      const isOpen = this.sessions.get(snapshotId) === session;
      if (isOpen && session.users === 0) session.timer = setTimeout(() => void this.end(snapshotId), idleMs);
    }
  }

  /** What could not be opened is tried anew by the next one who looks. */
  private async opened(snapshotId: number, session: Session): Promise<OpenDisk> {
    try {
      return await session.disk;
    } catch (error) {
      if (this.sessions.get(snapshotId) === session) await this.end(snapshotId);
      throw error;
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
