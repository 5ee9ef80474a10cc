import { z } from "zod";
import { QmpClient, QmpError, type QmpEvent } from "./client";

/** QEMU's run states (qapi/run-state.json) as far as they matter here; others count as paused. */
const statusSchema = z.object({ status: z.string() });
const uuidSchema = z.object({ UUID: z.string() });

export interface MonitorHandlers {
  /** Answered: at connecting, after each event and at every heartbeat. `status` is QEMU's run state. */
  onStatus(status: string): void;
  onEvent(event: QmpEvent): void;
  /** A heartbeat wasn't answered in time, or no connection is to be had. */
  onSilent(): void;
  /** The connection ended: perhaps so did the process. */
  onLost(): void;
}

const heartbeatMs = 1500;
const answerMs = 1500;
/** Of the status that an act asks for: a QEMU that is late, as on a busy computer, makes it no failure. */
const actAnswerMs = 10_000;
/** How long a question to a silent QEMU stays open: it answers as soon as it goes on, and few questions pile up until then. */
const silentAnswerMs = 60_000;

/**
 * The standing connection to one QEMU: hands on its events, asks for its status every now and then, and connects anew when the
 * connection breaks. Silence is told within `heartbeatMs + answerMs`.
 *
 *     connecting ⇄ connected → closed
 */
export class Monitor {
  private client: QmpClient | null = null;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private failures = 0;

  /**
   * @param sockets QMP sockets to try in turn: one may be in use by somebody else
   * @param uuid of the VM: a QEMU with another one is not talked to
   */
  constructor(
    private readonly sockets: readonly string[],
    private readonly uuid: string,
    private readonly handlers: MonitorHandlers,
  ) {}

  /** Connects once, or rejects with `QmpError`. `resume` goes on trying where this failed. */
  async connect(timeoutMs: number): Promise<void> {
    const path = this.sockets[this.failures % this.sockets.length] ?? "";
    // Counted down again on success: the next attempt is at the next socket.
    this.failures += 1;
    const client = await QmpClient.connect(
      path,
      { onEvent: (event) => this.handlers.onEvent(event), onClose: () => this.lost() },
      timeoutMs,
    );
    try {
      const answer = uuidSchema.safeParse(await client.execute("query-uuid", {}, timeoutMs));
      if (answer.data?.UUID !== this.uuid) throw new QmpError("refused", `Another VM's QEMU answers on ${path}.`);
    } catch (error) {
      client.close();
      throw error;
    }
    if (this.isClosed) return client.close();
    this.failures -= 1;
    this.client = client;
    this.later(() => this.beat(answerMs), heartbeatMs);
  }

  /** Keeps trying to connect until it succeeds or the monitor is closed. */
  resume(): void {
    this.later(() => this.reconnect(), 0);
  }

  /** As `QmpClient.execute`. */
  execute(command: string, args: object = {}, timeoutMs?: number): Promise<unknown> {
    if (this.client === null) {
      return Promise.reject(new QmpError("closed", `There is no connection to QEMU for ${command}.`));
    }
    return this.client.execute(command, args, timeoutMs);
  }

  /** QEMU's run state, freshly asked; also told to `onStatus`. */
  async status(timeoutMs = actAnswerMs): Promise<string> {
    const answer = statusSchema.safeParse(await this.execute("query-status", {}, timeoutMs));
    if (!answer.success) throw new QmpError("refused", "QEMU gave an answer to query-status that is no status.");
    if (!this.isClosed) this.handlers.onStatus(answer.data.status);
    return answer.data.status;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.client?.close();
  }

  private lost(): void {
    this.client = null;
    clearTimeout(this.timer);
    if (!this.isClosed) this.handlers.onLost();
  }

  private later(act: () => Promise<void>, delayMs: number): void {
    clearTimeout(this.timer);
    if (!this.isClosed) this.timer = setTimeout(() => void act(), delayMs);
  }

  private async beat(deadlineMs: number): Promise<void> {
    try {
      await this.status(deadlineMs);
      this.later(() => this.beat(answerMs), heartbeatMs);
    } catch (error) {
      if (!(error instanceof QmpError)) throw error;
      if (error.kind === "closed" || this.isClosed) return;
      this.handlers.onSilent();
      this.later(() => this.beat(silentAnswerMs), 0);
    }
  }

  private async reconnect(): Promise<void> {
    try {
      await this.connect(answerMs);
      await this.status(answerMs);
    } catch (error) {
      if (!(error instanceof QmpError)) throw error;
      if (this.isClosed) return;
      this.handlers.onSilent();
      if (this.client === null) this.later(() => this.reconnect(), heartbeatMs);
    }
  }
}
