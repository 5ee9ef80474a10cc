import { CumulusError } from "../domain/errors";
import { isErrno, writeFileAtomic } from "../system/files";
import type { MachineState } from "./machineState";

/** Writes a VM's state, one write after the other, the newest last. */
export class StateFile {
  private work: Promise<void> = Promise.resolve();

  constructor(private readonly path: string) {}

  /** Resolves when this state, or a newer one, would survive a power cut. Rejects when it can't be written. */
  write(state: MachineState): Promise<void> {
    const written = this.work.then(() => writeFileAtomic(this.path, `${JSON.stringify(state)}\n`));
    this.work = written.catch(() => undefined);
    return written.catch((error: unknown) => {
      throw isErrno(error, "ENOSPC", "EDQUOT")
        ? new CumulusError("insufficient_capacity", "The disk of this host is full: free some space and try again.")
        : error;
    });
  }

  /** Resolves when no write is under way. */
  settled(): Promise<void> {
    return this.work;
  }
}
