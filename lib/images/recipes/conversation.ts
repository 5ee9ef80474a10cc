import type { Readable, Writable } from "node:stream";
import { withDeadline } from "../../system/deadline";

const maxUnreadLength = 256 * 1024;

/** Waiting and typing on a serial console, as a person does: what was waited for is read, and what comes after it is waited for next. */
export class Conversation {
  private unread = "";
  private line = "";
  private isOver = false;
  /** Called when there is more to read, or nothing more to come. */
  private onNews = () => {};

  /**
   * @param onLine is told each whole line that the machine says, without control sequences
   * @param secrets are told nobody: a guest with much else to do shows what is typed before it hides it
   */
  constructor(
    from: Readable,
    private readonly to: Writable,
    private readonly onLine: (line: string) => void,
    private readonly secrets: readonly string[] = [],
  ) {
    from.setEncoding("utf8");
    from.on("data", (text: string) => this.hear(text));
    from.on("end", () => {
      this.isOver = true;
      this.onNews();
    });
    // A machine that turns itself off while it is typed to: the next wait tells.
    to.on("error", () => {});
  }

  /** Waits for a text, as it comes. @returns whether it came before the deadline, before the signal, and before the machine ended */
  waitFor(text: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return withDeadline(
      timeoutMs,
      signal,
      (deadline) =>
        new Promise((resolve) => {
          const look = () => {
            const isFound = this.take(text);
            if (!isFound && !this.isOver && !deadline.aborted) return;
            this.onNews = () => {};
            deadline.removeEventListener("abort", look);
            resolve(isFound);
          };
          this.onNews = look;
          deadline.addEventListener("abort", look);
          look();
        }),
    );
  }

  /** Whether the machine says nothing more. */
  get hasEnded(): boolean {
    return this.isOver;
  }

  type(text: string): void {
    this.to.write(text);
  }

  /** For messages: the end of what nobody waited for. */
  get lastWords(): string {
    return JSON.stringify(this.shown(this.unread).trim().slice(-200));
  }

  private hear(text: string): void {
    this.unread = (this.unread + text).slice(-maxUnreadLength);
    const lines = (this.line + text).split("\n");
    this.line = (lines.pop() ?? "").slice(-4096);
    for (const line of lines) this.onLine(this.shown(line).slice(0, 1000));
    this.onNews();
  }

  private shown(text: string): string {
    return this.secrets.reduce((shown, secret) => shown.replaceAll(secret, "…"), readable(text));
  }

  private take(text: string): boolean {
    const at = this.unread.indexOf(text);
    if (at < 0) return false;
    this.unread = this.unread.slice(at + text.length);
    return true;
  }
}

/** Without terminals' control sequences (ECMA-48) and control characters. */
function readable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g, "").replace(/[\x00-\x09\x0b-\x1f\x7f]/g, "");
}
