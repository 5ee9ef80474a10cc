import { createConnection, type Socket } from "node:net";
import { z } from "zod";
import { parseJson } from "../../system/json";
import { LineReader } from "../lineReader";

/** Why a QMP exchange failed: QEMU said no, didn't answer in time, or is no longer there. */
export class QmpError extends Error {
  readonly kind: "refused" | "timeout" | "closed";

  constructor(kind: QmpError["kind"], message: string) {
    super(message);
    this.name = "QmpError";
    this.kind = kind;
  }
}

const messageSchema = z.object({
  id: z.number().optional(),
  return: z.unknown().optional(),
  error: z.object({ class: z.string(), desc: z.string() }).optional(),
  event: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  timestamp: z.object({ seconds: z.number(), microseconds: z.number() }).optional(),
  QMP: z.unknown().optional(),
});

export interface QmpEvent {
  name: string;
  /** When it happened, by QEMU's clock; milliseconds since 1970, with fractions. */
  atMs: number;
  data: Record<string, unknown>;
}

export interface QmpHandlers {
  /** In the order in which QEMU sent them. */
  onEvent(event: QmpEvent): void;
  /** Once, after the last event. */
  onClose(): void;
}

interface Waiting {
  command: string;
  timer: NodeJS.Timeout;
  resolve(value: unknown): void;
  reject(error: QmpError): void;
}

/** A QMP message is small; whoever sends more without a newline isn't QEMU in its right mind. */
const maxLineBytes = 16 * 1024 * 1024;

/** Stands in for a command's id while the greeting is awaited. */
const greetingId = 0;

/**
 * One connection to a QEMU Machine Protocol server (docs/interop/qmp-spec in QEMU). The server takes one client at a time: a
 * second one, or one that connects to a stopped process, is accepted and never greeted, so nothing here waits without a deadline.
 */
export class QmpClient {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = greetingId + 1;
  private isOpen = true;

  private constructor(
    private readonly socket: Socket,
    private readonly handlers: QmpHandlers,
  ) {
    const lines = new LineReader(maxLineBytes, (line) => this.receive(line));
    this.socket.on("data", (chunk) => {
      if (!lines.push(chunk)) this.socket.destroy(new Error("a line without an end"));
    });
    this.socket.on("error", (error) => this.end(error.message));
    this.socket.on("close", () => this.end("closed by QEMU"));
  }

  /** Connects to a server's socket, awaits the greeting and negotiates, all within the deadline. Rejects with `QmpError`; `onClose` isn't called then. */
  static connect(path: string, handlers: QmpHandlers, timeoutMs: number): Promise<QmpClient> {
    return QmpClient.over(createConnection({ path }), handlers, timeoutMs);
  }

  /** As `connect`, over a connection that there is. */
  static async over(socket: Socket, handlers: QmpHandlers, timeoutMs: number): Promise<QmpClient> {
    const deadline = Date.now() + timeoutMs;
    let isConnected = false;
    const client = new QmpClient(socket, {
      onEvent: handlers.onEvent,
      onClose: () => {
        if (isConnected) handlers.onClose();
      },
    });
    try {
      await client.answerTo(greetingId, "the connection", timeoutMs);
      await client.execute("qmp_capabilities", {}, Math.max(1, deadline - Date.now()));
    } catch (error) {
      client.close();
      throw error;
    }
    isConnected = true;
    return client;
  }

  /**
   * Sends a command and resolves with its `return`. Commands of one client are carried out in order. A command whose deadline
   * passed may still be carried out; its late answer is dropped.
   */
  execute(command: string, args: object = {}, timeoutMs = 5000): Promise<unknown> {
    const id = this.nextId++;
    const answer = this.answerTo(id, command, timeoutMs);
    if (this.isOpen) this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    return answer;
  }

  /** Lets go of QEMU. Commands under way reject. */
  close(): void {
    this.end("closed by us");
  }

  private answerTo(id: number, command: string, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new QmpError("closed", `There is no connection to QEMU for ${command}.`));
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new QmpError("timeout", `QEMU didn't answer ${command} within ${timeoutMs / 1000} s.`));
      }, timeoutMs);
      this.waiting.set(id, { command, timer, resolve, reject });
    });
  }

  private receive(line: string): void {
    const parsed = messageSchema.safeParse(parseJson(line));
    if (!parsed.success) this.end("something that is no QMP message");
    else if (parsed.data.event === undefined) this.settle(parsed.data);
    else this.handlers.onEvent(eventOf(parsed.data.event, parsed.data));
  }

  private settle(message: z.infer<typeof messageSchema>): void {
    const id = message.QMP === undefined ? message.id : greetingId;
    const waiting = id === undefined ? undefined : this.waiting.get(id);
    if (id === undefined || waiting === undefined) return;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (message.error === undefined) waiting.resolve(message.return);
    else waiting.reject(new QmpError("refused", `QEMU refused ${waiting.command}: ${message.error.desc}`));
  }

  private end(why: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.socket.destroy();
    for (const { command, timer, reject } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new QmpError("closed", `The connection to QEMU ended before ${command} was answered (${why}).`));
    }
    this.waiting.clear();
    this.handlers.onClose();
  }
}

function eventOf(name: string, { data = {}, timestamp }: z.infer<typeof messageSchema>): QmpEvent {
  const atMs = timestamp === undefined ? Date.now() : timestamp.seconds * 1000 + timestamp.microseconds / 1000;
  return { name, atMs, data };
}
