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
  opened: Promise<Opened>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

interface Opened {
  disk: OpenDisk;
  letGo(): void;
}

/** Looks into snapshots' file systems. Opening a disk takes some seconds, so it stays open for a while. */
export class Browser {
  private readonly sessions = new Map<number, Session>();

  /** @param whenLetGo told whenever a disk was closed: its layers may be of no more use */
  constructor(
    private readonly context: HostContext,
    private readonly whenLetGo: () => void,
  ) {}

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
    await Promise.all([...this.sessions].map(([id, session]) => this.end(id, session)));
  }

  private async with<T>(snapshotId: number, act: (disk: OpenDisk) => Promise<T>): Promise<T> {
    const session = this.sessions.get(snapshotId) ?? this.open(snapshotId);
    session.users += 1;
    clearTimeout(session.timer);
    try {
      return await act(await this.opened(snapshotId, session));
    } catch (error) {
      // A machine that has ended is of no more use.
      const isOver = error instanceof CumulusError && error.code === "unavailable" && !(error instanceof CommandError);
      if (isOver) await this.end(snapshotId, session);
      throw error;
    } finally {
      session.users -= 1;
      const isOpen = this.sessions.get(snapshotId) === session;
      if (isOpen && session.users === 0) session.timer = setTimeout(() => void this.end(snapshotId, session), idleMs);
    }
  }

  /** What could not be opened is tried anew by the next one who looks. */
  private async opened(snapshotId: number, session: Session): Promise<OpenDisk> {
    try {
      return (await session.opened).disk;
    } catch (error) {
      await this.end(snapshotId, session);
      throw error;
    }
  }

  /** Takes a place at once, before others ask for one too. */
  private open(snapshotId: number): Session {
    const room = this.makeRoom();
    const session: Session = { opened: room.then(() => this.openDisk(snapshotId)), users: 0, timer: undefined };
    this.sessions.set(snapshotId, session);
    return session;
  }

  private async openDisk(snapshotId: number): Promise<Opened> {
    const { context } = this;
    const record = await context.snapshots.get(snapshotId);
    const letGoOfTop = await holdSnapshot(context, record);
    // All of its layers are read, of which the lower ones may be merged meanwhile.
    const { layers, letGo } = await context.layers.holdChain(record.layerId).finally(letGoOfTop);
    try {
      const node = chainOf(backingFiles(context, layers, layers.at(-1)?.imageSha256 ?? null));
      if (node === null) throw new CumulusError("internal", "The snapshot has no disk.");
      return { disk: await OpenDisk.open(context, node, readerOf(context, record.manifest.vmId, layers)), letGo };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  /** The one that nobody looks into goes first. @throws CumulusError `rate_limited`, before anything is waited for */
  private makeRoom(): Promise<void> {
    if (this.sessions.size < maxOpen) return Promise.resolve();
    const idle = [...this.sessions].find(([, { users }]) => users === 0);
    if (!idle) {
      throw new CumulusError("rate_limited", "Other snapshots are being looked into: try again in a moment.", {
        retryAfterSeconds: 10,
      });
    }
    return this.end(...idle);
  }

  /** Once: who finds it ended already may have another one open in its place. Never fails. */
  private async end(snapshotId: number, session: Session): Promise<void> {
    if (this.sessions.get(snapshotId) !== session) return;
    this.sessions.delete(snapshotId);
    clearTimeout(session.timer);
    try {
      const opened = await session.opened.catch(() => null);
      await opened?.disk.close().finally(opened.letGo);
    } finally {
      this.whenLetGo();
    }
  }
}
