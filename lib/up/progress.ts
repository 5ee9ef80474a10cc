/** Prints one aligned line for each step of a start or stop, with how long it took; none for a step that answers false. */
export class Progress {
  private readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  /** @param doing said when it takes long */
  async step<Result>(name: string, act: () => Promise<Result>, doing = name): Promise<Result> {
    const startedAt = performance.now();
    const slow = setTimeout(() => this.print(`  ..  ${doing}`), slowMs);
    const result = await act().finally(() => clearTimeout(slow));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (result !== false) this.print(`  ok  ${name.padEnd(nameWidth)} ${seconds.padStart(6)} s`);
    return result;
  }

  /** Says what is not as it could be, though the start goes on. */
  warn(name: string, text: string): void {
    this.print(`  --  ${name.padEnd(nameWidth)} ${text}`);
  }
}

const nameWidth = 18;
/** A step that takes longer says that it has begun. */
const slowMs = 3_000;
