import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineReader } from "../lineReader";

/** A unix-socket server that says what a test tells it to, line by line. */
export class ScriptedServer {
  readonly connections: Socket[] = [];

  private constructor(
    private readonly folder: string,
    private readonly server: Server,
  ) {}

  static async start(
    onConnect: (say: (message: object) => void) => void,
    onLine: (message: { execute?: string; id?: number }, say: (message: object) => void) => void,
  ): Promise<ScriptedServer> {
    const folder = await mkdtemp(join(tmpdir(), "cumulus-"));
    const server = createServer((socket) => {
      scripted.connections.push(socket);
      const say = (message: object) => socket.write(`${JSON.stringify(message)}\r\n`);
      const lines = new LineReader(1 << 20, (line) => onLine(JSON.parse(line.replace(/^\ufffd/, "")), say));
      socket.on("data", (chunk) => lines.push(chunk));
      socket.on("error", () => socket.destroy());
      onConnect(say);
    });
    const scripted = new ScriptedServer(folder, server);
    await new Promise<void>((resolve) => server.listen(scripted.path, resolve));
    return scripted;
  }

  get path(): string {
    return join(this.folder, "server.sock");
  }

  async close(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }
}
