import { rm } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf } from "../../domain/errors";
import type { Log } from "../../system/log";
import { RingLog } from "./ringLog";
import { Terminal } from "./terminal";

const logCapBytes = 1024 * 1024;
/** Beyond this, the serial port is read no further until the log has caught up: the guest's UART waits. */
const maxBacklogBytes = 512 * 1024;
const reconnectMs = 100;

export interface SerialConsoleOptions {
  logFile: string;
  log: Log;
  /** What the guest says, as it says it. */
  onOutput(chunk: Buffer): void;
}

/**
 * The serial port of one VM: one connection to QEMU, a log of the newest output, and any number of terminals, which outlive stop and
 * start.
 */
export class SerialConsole {
  private readonly ring: RingLog;
  private readonly terminals = new Set<Terminal>();
  private readonly log: Log;
  private port: Socket | null = null;
  private server: Server | null = null;
  private isClosed = false;

  constructor(private readonly options: SerialConsoleOptions) {
    this.log = options.log;
    this.ring = new RingLog(options.logFile, logCapBytes, (error) => {
      this.log.warn({ error: messageOf(error) }, "the serial log could not be written");
    });
  }

  /**
   * Takes QEMU's end of the port and holds it until it is closed by QEMU; then tries again for as long as `isWanted`.
   * Resolves when connected, rejects when the first attempt fails.
   */
  async attach(path: string, isWanted: () => boolean): Promise<void> {
    const port = await connected(path);
    if (this.isClosed) {
      port.destroy();
      return;
    }
    this.port?.destroy();
    this.port = port;
    port.on("data", (chunk) => this.output(chunk));
    port.on("error", (error) => this.log.debug({ error: error.message }, "serial connection failed"));
    port.on("close", () => {
      if (this.port === port) this.port = null;
      this.retry(path, isWanted);
    });
  }

  /** A line of Cumulus' own between the guest's. */
  note(text: string): void {
    this.emit(Buffer.from(`\r\n──── ${text} ────\r\n`));
  }

  /** A terminal: the log so far, then what comes. */
  async open(): Promise<Duplex> {
    const terminal = new Terminal({
      onInput: (chunk, done) => this.input(chunk, done),
      onClose: () => this.terminals.delete(terminal),
    });
    await this.ring.read((log) => {
      terminal.show(log);
      this.terminals.add(terminal);
    });
    return terminal;
  }

  /** Offers terminals on a unix socket to people on this host (`socat -,rawer,escape=0x1d unix-connect:PATH`). */
  async listen(path: string): Promise<void> {
    await rm(path, { force: true });
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      void this.open().then((terminal) => {
        terminal.on("error", () => socket.destroy());
        terminal.on("close", () => socket.destroy());
        socket.on("close", () => terminal.destroy());
        socket.pipe(terminal).pipe(socket);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    this.server = server;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.server?.close();
    this.port?.destroy();
    for (const terminal of this.terminals) terminal.destroy();
    await this.ring.drained();
  }

  private retry(path: string, isWanted: () => boolean): void {
    if (this.isClosed || !isWanted()) return;
    setTimeout(() => {
      if (this.isClosed || !isWanted() || this.port !== null) return;
      this.attach(path, isWanted).catch((error: unknown) => {
        this.log.debug({ error: messageOf(error) }, "serial port not yet back");
        this.retry(path, isWanted);
      });
    }, reconnectMs);
  }

  private output(chunk: Buffer): void {
    this.emit(chunk);
    this.options.onOutput(chunk);
    if (this.ring.backlogBytes < maxBacklogBytes) return;
    const port = this.port;
    port?.pause();
    void this.ring.drained().then(() => port?.resume());
  }

  private emit(chunk: Buffer): void {
    this.ring.write(chunk);
    for (const terminal of this.terminals) terminal.show(chunk);
  }

  /** Keys go to the guest; those pressed while it is off go nowhere. */
  private input(chunk: Buffer, done: () => void): void {
    const { port } = this;
    if (port === null || port.write(chunk)) {
      done();
      return;
    }
    const goOn = () => {
      port.off("drain", goOn);
      port.off("close", goOn);
      done();
    };
    port.on("drain", goOn);
    port.on("close", goOn);
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
