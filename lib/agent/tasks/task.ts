import { CumulusError, messageOf } from "../../domain/errors";
import type { TaskReport, TaskState } from "../../domain/task";
import { explainFullDisk } from "../../system/fullDisk";
import type { Log } from "../../system/log";
import type { TaskFile } from "./taskFiles";
import type { TaskLog } from "./taskLog";

/** How a task ended. */
export type Outcome = Pick<TaskState, "status" | "result" | "error">;

/** One task while it is known: what is seen of it, and who waits for the next change. */
export class Task {
  readonly abort = new AbortController();
  private readonly waiting = new Set<() => void>();
  private current: TaskState;

  constructor(
    readonly file: TaskFile,
    private readonly log: TaskLog,
  ) {
    const { id, kind, status, result, error } = file;
    const percent = status === "done" ? 100 : 0;
    this.current = { id, kind, status, percent, message: null, transfer: null, result, error, version: 1 };
  }

  get state(): TaskState {
    return this.current;
  }

  /** What the task's function tells through. */
  readonly report: TaskReport = {
    progress: (percent, message, transfer) => {
      const clamped = Math.max(0, Math.min(100, percent));
      this.change({ percent: clamped, message, transfer: transfer ?? null });
    },
    log: (line) => this.log.add(line),
  };

  /** Takes over how it ended. */
  end(outcome: Outcome): void {
    this.change({ ...outcome, transfer: null, ...(outcome.status === "done" && { percent: 100 }) });
  }

  /** The state once it is newer than `version`, or as it is when the time is over. */
  async newerThan(version: number, timeoutMs: number): Promise<TaskState> {
    if (this.current.version > version || timeoutMs === 0) return this.current;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.waiting.add(done);
    });
    return this.current;
  }

  private change(values: Partial<TaskState>): void {
    this.current = { ...this.current, ...values, version: this.current.version + 1 };
    for (const tell of [...this.waiting]) tell();
  }
}

/** How a task that rejected ended, in words for users. */
export function outcomeOfError(error: unknown, wasCancelled: boolean, log: Log): Outcome {
  if (wasCancelled) return { status: "cancelled", result: null, error: null };
  const known = explainFullDisk(error);
  if (known instanceof CumulusError) {
    return { status: "failed", result: null, error: { code: known.code, message: known.message } };
  }
  log.error({ err: error }, "a task failed unexpectedly");
  return { status: "failed", result: null, error: { code: "internal", message: messageOf(error) } };
}
