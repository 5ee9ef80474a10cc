import type { RunningQemu } from "../runningQemu";

/** Measures how long a guest stands still, from QEMU's own events. */
export class PauseMeter {
  private stoppedAtMs: number | null = null;
  private totalMs = 0;
  private readonly stopListening: () => void;

  constructor(qemu: RunningQemu) {
    this.stopListening = qemu.onEvents(({ name, atMs }) => {
      if (name === "STOP") this.stoppedAtMs ??= atMs;
      if (name !== "RESUME" || this.stoppedAtMs === null) return;
      this.totalMs += atMs - this.stoppedAtMs;
      this.stoppedAtMs = null;
    });
  }

  /** Milliseconds, so far. */
  get pauseMs(): number {
    return this.totalMs;
  }

  close(): void {
    this.stopListening();
  }
}
