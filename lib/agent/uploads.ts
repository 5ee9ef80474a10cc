import type { Readable } from "node:stream";
import { CumulusError } from "../domain/errors";

/** How long a task waits for its sender, and a sender for its task. */
const meetWithinMs = 60_000;

/** A file on its way in. */
export interface Upload {
  body: Readable;
  /** The request's Content-Length; null where it has none. */
  contentLength: number | null;
}

/**
 * Where the request that brings a file and the task that takes it meet, by the operation's id. The two come to the agent on ways of their own, so either may be
 * first. Nothing outlives the agent: a task that is run again after a restart finds no sender, and says so.
 */
export class UploadDesk {
  private readonly meetings = new Map<number, Meeting>();

  constructor(private readonly waitMs = meetWithinMs) {}

  /**
   * Brings a file to the task of that operation. Done when the task has taken all of it; rejects with what the task says of it.
   * @throws `conflict` when another request brings it; `not_found` when no task comes for it
   */
  async bring(operationId: number, upload: Upload): Promise<void> {
    const meeting = this.meeting(operationId);
    if (meeting.isBrought) throw new CumulusError("conflict", "Another request is bringing this upload.");
    meeting.bring(upload);
    try {
      const nobody = new CumulusError("not_found", "Nobody waits for this upload: it was cancelled, or has ended.");
      await within(this.waitMs, meeting.taken, nobody);
      await meeting.ended;
    } finally {
      this.meetings.delete(operationId);
    }
  }

  /**
   * Takes what is brought for an operation, and lets its sender know how that ends.
   * @throws `bad_request` when nobody brings anything; what `receive` throws; the signal's reason
   */
  async take<T>(operationId: number, signal: AbortSignal, receive: (upload: Upload) => Promise<T>): Promise<T> {
    const meeting = this.meeting(operationId);
    const abort = () => meeting.end(new CumulusError("conflict", "The upload was cancelled."));
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      const nothing = new CumulusError("bad_request", "The file did not arrive: send it again.");
      const upload = await within(this.waitMs, Promise.race([meeting.brought, meeting.ended]), nothing);
      signal.throwIfAborted();
      if (!upload) throw nothing;
      meeting.take();
      const result = await receive(upload);
      meeting.end();
      return result;
    } catch (error) {
      if (signal.aborted) abort();
      else meeting.end(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      if (!meeting.isBrought) this.meetings.delete(operationId);
    }
  }

  private meeting(operationId: number): Meeting {
    const meeting = this.meetings.get(operationId) ?? new Meeting();
    this.meetings.set(operationId, meeting);
    return meeting;
  }
}

class Meeting {
  isBrought = false;
  readonly brought: Promise<Upload>;
  readonly taken: Promise<void>;
  readonly ended: Promise<void>;
  private setBrought: (upload: Upload) => void = () => {};
  private setTaken: () => void = () => {};
  private settle: { resolve(): void; reject(error: unknown): void } = { resolve() {}, reject() {} };

  constructor() {
    this.brought = new Promise((resolve) => {
      this.setBrought = resolve;
    });
    this.taken = new Promise((resolve) => {
      this.setTaken = resolve;
    });
    this.ended = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // Where nobody waits for the end, its error is nobody's.
    this.ended.catch(() => undefined);
  }

  bring(upload: Upload): void {
    this.isBrought = true;
    this.setBrought(upload);
  }

  take(): void {
    this.setTaken();
  }

  /** Also frees a sender that nobody has taken anything from. */
  end(error?: unknown): void {
    if (error === undefined) this.settle.resolve();
    else this.settle.reject(error);
    this.setTaken();
  }
}

async function within<T>(ms: number, promise: Promise<T>, late: CumulusError): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
