import { statfs } from "node:fs/promises";
import { messageOf } from "../domain/errors";
import type { Log } from "../system/log";
import type { RunningQemu } from "./runningQemu";

const pollMs = 2000;
const enoughFreeBytes = 8 * 1024 * 1024;

/** Lets a guest that QEMU holds because the host's disk is full go on when there is space again. */
export class SpaceWait {
  private timer: NodeJS.Timeout | undefined;

  /** @param folder on the disk that is full */
  constructor(
    private readonly id: number,
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /** Begins to wait, unless it does already. */
  begin(qemu: RunningQemu): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.look(qemu);
    }, pollMs);
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async look(qemu: RunningQemu): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail * bsize >= enoughFreeBytes && (await qemu.status()) === "io-error") await qemu.execute("cont");
      // If it still is an I/O error, this leads back to `begin`.
      await qemu.status();
    } catch (error) {
      this.log.warn({ vm: this.id, error: messageOf(error) }, "a VM that waits for disk space could not be resumed");
      if (!qemu.hasEnded) this.begin(qemu);
    }
  }
}
