import type { TaskReport } from "../../domain/task";

interface Waiting {
  go(): void;
  tell(ahead: number): void;
}

/** Lets so many pieces of work go on at once; the others wait, in the order in which they came. */
export class Turns {
  private readonly waiting: Waiting[] = [];
  private working = 0;

  constructor(private readonly atOnce: number) {}

  /**
   * Does work when its turn has come.
   * @param signal ends the wait
   * @param tell is told how many others go on or come before, whenever that changes while it waits
   */
  async run<T>(signal: AbortSignal, tell: (ahead: number) => void, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.working < this.atOnce) this.working += 1;
    else await this.turn(signal, tell);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private async turn(signal: AbortSignal, tell: (ahead: number) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1);
        this.tellAll();
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const waiting = { go, tell };
      signal.addEventListener("abort", giveUp, { once: true });
      this.waiting.push(waiting);
      this.tellAll();
    });
  }

  /** Gives the turn on; nobody else can come between. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.working -= 1;
    else next.go();
    this.tellAll();
  }

  private tellAll(): void {
    for (const [place, { tell }] of this.waiting.entries()) tell(this.working + place);
  }
}

/** Says in a task's progress that it waits for its turn. */
export function tellWait(report: TaskReport): (ahead: number) => void {
  return (ahead) => report.progress(0, ahead === 1 ? "waits for another to end" : `waits for ${ahead} others to end`);
}
