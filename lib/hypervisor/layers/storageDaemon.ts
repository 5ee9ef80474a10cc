import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CumulusError, messageOf } from "../../domain/errors";
import type { Settings } from "../../env";
import type { MachineUser } from "../../system/machineUsers";
import { QmpClient } from "../qmp/client";
import { confined } from "../tools";

const startMs = 20_000;

/** A QEMU without a machine (qemu-storage-daemon): it works on disks as QEMU does, with a user's rights and no others, and ends with the agent. */
export class StorageDaemon {
  private constructor(
    private readonly child: ChildProcess,
    readonly folder: string,
    readonly qmp: QmpClient,
  ) {}

  /**
   * @param node the -blockdev to open
   * @param name of a folder for its socket, one at a time
   */
  static async start(
    { runDir }: Pick<Settings, "runDir">,
    name: string,
    node: object,
    user: MachineUser | null,
  ): Promise<StorageDaemon> {
    const folder = join(runDir, name);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    if (user !== null) await chown(folder, user.uid, user.gid);
    await chmod(folder, 0o700);
    const socket = join(folder, "qmp.sock");
    const args = [
      ...["--blockdev", JSON.stringify(node)],
      ...["--chardev", `socket,id=qmp,path=${socket.replaceAll(",", ",,")},server=on,wait=off`],
      ...["--monitor", "chardev=qmp"],
    ];
    const command = confined(user, "qemu-storage-daemon", args);
    const child = spawn(command.program, command.args, {
      stdio: "ignore",
      cwd: "/",
      env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH },
    });
    try {
      return new StorageDaemon(child, folder, await connect(child, socket));
    } catch (error) {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async close(): Promise<void> {
    await this.qmp.execute("quit").catch(() => undefined);
    this.qmp.close();
    const ended = new Promise<void>((resolve) => {
      if (this.hasEnded) resolve();
      else this.child.once("exit", () => resolve());
    });
    const timer = setTimeout(() => this.child.kill("SIGKILL"), startMs);
    await ended;
    clearTimeout(timer);
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function connect(child: ChildProcess, socket: string): Promise<QmpClient> {
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => {
      reject(new CumulusError("unavailable", `qemu-storage-daemon can't be run on this host: ${messageOf(error)}`));
    });
    child.once("exit", (code) => {
      reject(new CumulusError("internal", `qemu-storage-daemon could not open the disk (exit status ${code}).`));
    });
  });
  failed.catch(() => undefined);
  const deadlineMs = Date.now() + startMs;
  for (;;) {
    const attempt = QmpClient.connect(socket, { onEvent: () => {}, onClose: () => {} }, startMs);
    attempt.catch(() => undefined);
    try {
      return await Promise.race([attempt, failed]);
    } catch (error) {
      if (error instanceof CumulusError || Date.now() > deadlineMs) throw error;
      await delay(20);
    }
  }
}
