import { CumulusError } from "../domain/errors";
import type { Observation } from "../domain/machine";
import { ActQueue } from "./actQueue";
import type { Machine } from "./machine";
import { absentObservation } from "./machineState";

/** The VMs that this host has, with one act on each at a time, and who is told of what is seen of them. */
export class Machines {
  private readonly present = new Map<number, Machine>();
  private readonly queue = new ActQueue();
  private readonly listeners = new Set<(observation: Observation) => void>();

  /** Those that there are now, by their id: it follows as they come and go. */
  get byId(): ReadonlyMap<number, Machine> {
    return this.present;
  }

  get all(): Machine[] {
    return [...this.present.values()];
  }

  /** @throws `not_found` */
  find(id: number): Machine {
    const machine = this.present.get(id);
    if (machine) return machine;
    throw new CumulusError("not_found", "This VM has no folder on this host.");
  }

  add(id: number, machine: Machine): void {
    this.present.set(id, machine);
  }

  forget(id: number): void {
    this.present.delete(id);
  }

  /** Carries out an act on a VM, which needn't be there, after those that were asked for before. */
  inTurn<T>(id: number, act: () => Promise<T>): Promise<T> {
    return this.queue.run(id, act);
  }

  /** The same on one that is there. @returns what is seen of it afterwards @throws `not_found` */
  act(id: number, act: (machine: Machine) => Promise<void>): Promise<Observation> {
    return this.inTurn(id, async () => {
      const machine = this.find(id);
      await act(machine);
      return machine.observation();
    });
  }

  observe(id: number): Observation {
    return this.present.get(id)?.observation() ?? absentObservation(id, new Date().toISOString());
  }

  /** @returns the way to stop listening */
  watch(listener: (observation: Observation) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  tell(observation: Observation): void {
    for (const listener of this.listeners) listener(observation);
  }

  /** Lets go of all when what is under way is done, without stopping any. */
  async close(): Promise<void> {
    await this.queue.idle();
    await Promise.all(this.all.map((machine) => machine.runtime.close()));
    this.present.clear();
    this.listeners.clear();
  }
}
