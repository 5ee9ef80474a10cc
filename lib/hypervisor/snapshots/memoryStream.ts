import { type ChildProcess, spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import { projectDir } from "../../paths";
import { isErrno, syncFile } from "../../system/files";
import type { MachineUser } from "../../system/machineUsers";

const program = join(projectDir, "lib", "hypervisor", "snapshots", "receiveMemory.mjs");
const diskFull = 28;
const tooLarge = 27;

export interface ReceiverLimits {
  /** Whether QEMU bears it that the receiver goes, as it does when this process is gone. */
  mayBreakOff: boolean;
  /** Of the file: what comes beyond is read and not kept, and `done` rejects. */
  mostBytes: number;
}

/** Takes a guest's memory, which QEMU sends over a unix socket, and writes it into a file, in a process that outlives this one. */
export class MemoryReceiver {
  /** Resolves when the process is gone, with how it ended. */
  readonly ended: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly socketPath: string,
    private readonly file: string,
  ) {
    this.ended = new Promise((resolve) => {
      child.once("exit", resolve);
    });
  }

  /**
   * Resolves when QEMU may connect.
   * @param user who may connect; null: the agent's own
   */
  static async listen(
    socketPath: string,
    user: MachineUser | null,
    file: string,
    { mayBreakOff, mostBytes }: ReceiverLimits,
  ): Promise<MemoryReceiver> {
    await rm(socketPath, { force: true });
    const owner = user === null ? [] : [String(user.uid), String(user.gid)];
    const end = mayBreakOff ? "break-off" : "read-on";
    const child = spawn(process.execPath, [program, socketPath, file, end, String(mostBytes), ...owner], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
      cwd: "/",
      env: { NODE_ENV: process.env.NODE_ENV },
    });
    const receiver = new MemoryReceiver(child, socketPath, file);
    try {
      await new Promise<void>((resolve, reject) => {
        child.stdout?.once("data", () => resolve());
        child.once("error", reject);
        child.once("exit", () => reject(new Error("it ended")));
      });
    } catch (error) {
      throw new CumulusError("internal", `Nothing is there to take the guest's memory: ${messageOf(error)}.`);
    }
    child.unref();
    return receiver;
  }

  /** Resolves when all is in the file and on the disk. */
  async done(): Promise<void> {
    const exitCode = await this.ended;
    if (exitCode === 0) return syncFile(this.file);
    if (exitCode === tooLarge) {
      throw new CumulusError(
        "conflict",
        "The guest changed so much of its memory while that was copied that it came to more than was said before. Try again when it does less, or take the disk alone.",
      );
    }
    throw exitCode === diskFull
      ? new CumulusError("insufficient_capacity", "The disk of this host is too full for the guest's memory.")
      : new CumulusError("internal", "The guest's memory could not be written. Try again, or take the disk alone.");
  }

  /** @param isNeeded whether QEMU may yet send: then it takes what comes, if QEMU has connected, and keeps none of it */
  async close({ isNeeded }: { isNeeded: boolean }): Promise<void> {
    await rm(this.socketPath, { force: true });
    this.child.stdin?.destroy();
    if (this.child.exitCode === null && !isNeeded) this.child.kill("SIGTERM");
  }
}

/** Sends a file with a guest's memory to a QEMU that waits for it. Rejects when QEMU goes before all is sent; whether it took the rest is for it to say. */
export async function sendMemory(
  file: string,
  socketPath: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const socket = createConnection({ path: socketPath });
  let bytes = 0;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onBytes(bytes);
      done(null, chunk);
    },
  });
  const { size } = await stat(file);
  try {
    await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), counting, socket, { signal });
  } catch (error) {
    // QEMU closes the connection when it has read what it needs, which may be before we have closed our end.
    if (bytes < size || !isErrno(error, "ERR_STREAM_PREMATURE_CLOSE")) throw error;
  }
}
