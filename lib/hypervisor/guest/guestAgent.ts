import { createConnection, type Socket } from "node:net";
import { LineReader } from "../lineReader";

const maxLineBytes = 1024 * 1024;
const resyncMs = 10_000;

/** Why a command to a guest's agent came to nothing. */
export class GuestAgentError extends Error {
  constructor(
    readonly kind: "away" | "silent" | "refused",
    message: string,
  ) {
    super(message);
    this.name = "GuestAgentError";
  }
}

/**
 * The channel to the QEMU guest agent (docs/interop/qemu-ga in QEMU). The socket accepts though no agent runs in the guest; what is sent waits
 * until one does. So a sync with a number of its own is sent, and the agent lives when that number comes back.
 */
export class GuestAgent {
  private socket: Socket | null = null;
  private timer: NodeJS.Timeout | undefined;
  private syncId = Math.floor(Math.random() * 2 ** 30);
  private isAnswering = false;
  private onReply: ((reply: Reply) => void) | null = null;
  private asking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly onAnswering: () => void,
  ) {
    this.connect();
  }

  /** Whether it has answered since the guest last booted. */
  get isAlive(): boolean {
    return this.isAnswering;
  }

  /** The guest boots anew: whoever answered before is gone. */
  forget(): void {
    this.isAnswering = false;
    this.sync();
  }

  /**
   * Asks the guest to reboot. Resolves with whether it is on its way: the agent says nothing on success and gives an error where
   * the guest has no way to reboot.
   */
  reboot(answerMs = 1500): Promise<boolean> {
    return this.ask("guest-shutdown", { mode: "reboot" }, answerMs).then(
      () => true,
      (error: unknown) => error instanceof GuestAgentError && error.kind === "silent",
    );
  }

  /**
   * One command to the agent, after those that were asked before: its replies have no numbers.
   * Rejects with `GuestAgentError` when there is no agent, when it gives an error, or is silent for too long.
   */
  ask(execute: string, args: object, timeoutMs = 5000): Promise<unknown> {
    const answer = this.asking.then(() => this.exchange({ execute, arguments: args }, timeoutMs));
    this.asking = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket?.destroy();
  }

  private exchange(command: object, timeoutMs: number): Promise<unknown> {
    if (!this.isAnswering || this.socket === null) {
      return Promise.reject(new GuestAgentError("away", "The guest's agent doesn't answer."));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.onReply = null;
        // A reply that comes late must not be taken for the next one's.
        this.forget();
        reject(new GuestAgentError("silent", `The guest's agent was silent for ${timeoutMs} ms.`));
      }, timeoutMs);
      this.onReply = ({ return: value, error }) => {
        clearTimeout(timer);
        this.onReply = null;
        if (error) reject(new GuestAgentError("refused", error.desc ?? "The guest's agent gave an error."));
        else resolve(value);
      };
      this.send(command);
    });
  }

  private connect(): void {
    const socket = createConnection({ path: this.path });
    const lines = new LineReader(maxLineBytes, (line) => this.receive(line));
    socket.on("data", (chunk) => {
      if (!lines.push(chunk)) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.socket === socket) this.socket = null;
    });
    this.socket = socket;
    this.sync();
  }

  /** Repeated until it is answered, unless what was sent before still waits for a reader. */
  private sync(): void {
    clearTimeout(this.timer);
    if (this.isAnswering || this.socket === null) return;
    if (this.socket.writableLength === 0) {
      this.syncId += 1;
      // 0xff ends whatever the agent's parser was in the middle of.
      this.socket.write(Buffer.from([0xff]));
      this.send({ execute: "guest-sync-delimited", arguments: { id: this.syncId } });
    }
    this.timer = setTimeout(() => this.sync(), resyncMs);
  }

  private send(command: object): void {
    this.socket?.write(`${JSON.stringify(command)}\n`);
  }

  private receive(line: string): void {
    const reply = parseReply(line);
    if (reply === undefined) return;
    if (!this.isAnswering && reply.return === this.syncId) {
      this.isAnswering = true;
      clearTimeout(this.timer);
      this.onAnswering();
      return;
    }
    this.onReply?.(reply);
  }
}

interface Reply {
  return?: unknown;
  error?: { desc?: string };
}

function parseReply(line: string): Reply | undefined {
  try {
    // The answer to a sync begins with 0xff, which decodes to U+FFFD.
    const value: unknown = JSON.parse(line.replace(/^\ufffd+/, ""));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
