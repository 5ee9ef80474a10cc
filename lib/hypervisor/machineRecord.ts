import { messageOf } from "../domain/errors";
import type { MachineSpec, Observation } from "../domain/machine";
import { writeFileAtomic } from "../system/files";
import { explainFullDisk } from "../system/fullDisk";
import type { Log } from "../system/log";
import { type Live, type MachineState, observationOf } from "./machineState";

/** What is known of one VM: its state, which is kept in a file, and what is seen of it right now, which is not. */
export class MachineRecord {
  private live: Live | null = null;
  private lastTold = "";
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly spec: () => MachineSpec,
    private readonly path: string,
    private current: MachineState,
    private readonly log: Log,
    private readonly onChange: (observation: Observation) => void,
  ) {}

  get state(): MachineState {
    return this.current;
  }

  get seen(): Live | null {
    return this.live;
  }

  observation(): Observation {
    return observationOf(this.spec(), this.current, this.live, new Date().toISOString());
  }

  /** Changes the state. Resolves when that, or a newer one, would survive a power cut; rejects when it can't be written. */
  async commit(change: (state: MachineState) => MachineState): Promise<void> {
    this.current = change(this.current);
    const written = this.work.then(() => writeFileAtomic(this.path, `${JSON.stringify(this.current)}\n`));
    this.work = written.catch(() => undefined);
    this.tell();
    try {
      await written;
    } catch (error) {
      throw explainFullDisk(error);
    }
  }

  /** As `commit`, for what has happened and holds whether or not it can be written now. */
  async note(change: (state: MachineState) => MachineState): Promise<void> {
    try {
      await this.commit(change);
    } catch (error) {
      this.log.warn({ vm: this.spec().id, error: messageOf(error) }, "the VM's state could not be written");
    }
  }

  /** What is seen of its QEMU now; null: there is none. */
  see(live: Omit<Live, "seenAt"> | null): void {
    this.live = live && { ...live, seenAt: new Date().toISOString() };
    this.tell();
  }

  /** Resolves when no write is under way. */
  settled(): Promise<void> {
    return this.work;
  }

  /** Tells of what is seen now, if that is news. */
  tell(): void {
    const observation = this.observation();
    const told = JSON.stringify({ ...observation, observedAt: null });
    if (told === this.lastTold) return;
    this.lastTold = told;
    this.onChange(observation);
  }
}
