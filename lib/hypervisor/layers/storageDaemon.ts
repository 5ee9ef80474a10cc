import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { CumulusError, messageOf } from "../../domain/errors";
import type { MachineUser } from "../../system/machineUsers";
import { QmpClient } from "../qmp/client";
import { confined } from "../tools";

const startMs = 20_000;
const endMs = 1000;

/** Where the daemon has its end of the connection. */
const qmpFd = 3;

/** A QEMU without a machine (qemu-storage-daemon): it works on disks as QEMU does, with a user's rights and no others, and ends with the agent. */
export class StorageDaemon {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
    readonly qmp: QmpClient,
  ) {}

  /**
   * It gets its end of a connection that is made before it starts. Where it listens for one, a client that is quick meets a daemon (7.2) that has two threads
   * set up the monitor at once, and now and then greets it and hears nothing that it says.
   * @param node the -blockdev to open
   * @throws CumulusError `unavailable` when it can't be run or doesn't answer, `internal` when it can't open the disk
   */
  static async start(node: object, user: MachineUser | null): Promise<StorageDaemon> {
    const args = [
      ...["--blockdev", JSON.stringify(node)],
      ...["--chardev", `socket,id=qmp,fd=${qmpFd}`],
      ...["--monitor", "chardev=qmp"],
    ];
    const command = confined(user, "qemu-storage-daemon", args);
    const child = spawn(command.program, command.args, {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
      cwd: "/",
      env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH },
    });
    const ended = once(child, "exit").then(() => {});
    ended.catch(() => undefined);
    return new StorageDaemon(child, ended, await connect(child, ended));
  }

  async close(): Promise<void> {
    await this.qmp.execute("quit").catch(() => undefined);
    this.qmp.close();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), startMs);
    await this.ended;
    clearTimeout(timer);
  }
}

/** @param ended rejects when it can't be run */
async function connect(child: ChildProcess, ended: Promise<void>): Promise<QmpClient> {
  // They are missing where this process has no descriptor left.
  const socket = (child.stdio as typeof child.stdio | undefined)?.[qmpFd];
  if (!(socket instanceof Socket)) return ended.then(() => unavailable("it ended"), unavailable);
  const over = QmpClient.over(socket, { onEvent: () => {}, onClose: () => {} }, startMs);
  over.catch(() => undefined);
  try {
    const client = await Promise.race([over, ended]);
    if (client) return client;
  } catch (error) {
    if (child.pid === undefined) unavailable(error);
    // One that has closed its end is about to end by itself, and says by its status why.
    const timer = setTimeout(() => child.kill("SIGKILL"), endMs);
    await ended;
    clearTimeout(timer);
  }
  if (child.exitCode === 127) unavailable("it is not installed");
  if (child.exitCode === null) {
    throw new CumulusError("unavailable", "qemu-storage-daemon doesn't answer, or was ended. Try again in a moment.");
  }
  throw new CumulusError("internal", `qemu-storage-daemon could not open the disk (exit status ${child.exitCode}).`);
}

function unavailable(reason: unknown): never {
  throw new CumulusError("unavailable", `qemu-storage-daemon can't be run on this host: ${messageOf(reason)}`);
}
