import type { TaskReport } from "../../domain/task";

/** Often enough to look smooth, seldom enough to cost nothing. */
const tellEveryMs = 250;
/** The rate is that of so long. */
const windowMs = 3_000;

/** Tells how a transfer goes on: bytes, rate, and the part of the whole work that it is. */
export class TransferMeter {
  private marks: { atMs: number; bytes: number }[] = [];

  /**
   * @param message what is being done
   * @param percents of the whole work, where the transfer begins and ends
   * @param now milliseconds of a clock that never goes back
   */
  constructor(
    private readonly report: TaskReport,
    private readonly message: string,
    private readonly percents: [from: number, to: number],
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param totalBytes null where nobody said */
  tell(doneBytes: number, totalBytes: number | null): void {
    const atMs = this.now();
    const last = this.marks.at(-1);
    const isLast = totalBytes !== null && doneBytes >= totalBytes;
    if (last && atMs - last.atMs < tellEveryMs && !isLast) return;
    // Fewer bytes than before: it began anew.
    if (last && doneBytes < last.bytes) this.marks = [];
    this.marks = [...this.marks.filter((mark) => atMs - mark.atMs <= windowMs), { atMs, bytes: doneBytes }];
    const [from, to] = this.percents;
    const share = totalBytes ? Math.min(1, doneBytes / totalBytes) : 0;
    this.report.progress(from + (to - from) * share, this.message, {
      doneBytes,
      totalBytes,
      bytesPerSecond: this.bytesPerSecond(),
    });
  }

  private bytesPerSecond(): number | null {
    const [first] = this.marks;
    const last = this.marks.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return null;
    return Math.round(((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }
}
