import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createNetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientOptions, WebSocket } from "ws";
import { CumulusError, type ErrorCode } from "../domain/errors";
import { connectByteStream } from "../system/byteStream";
import type { ConsoleLimits } from "./limits";
import { type ConsoleDeps, createConsoleUpgrades } from "./upgrades";

/** For tests: a real HTTP server with consoles of VM 7 (ada's, running) and VM 8 (ada's, off). */
export interface TestConsole {
  /** The VM's end of each console that was opened, in order. */
  machines: Socket[];
  users: Map<string, { kind: "session" | "token"; userName: string }>;
  vms: Map<number, string>;
  /** Makes the database "away". */
  isDatabaseAway: boolean;
  changed(): void;
  warnings: string[];
  open(path: string, options?: ClientOptions, protocols?: string[]): WebSocket;
  /** The status and the problem's detail of a refused upgrade; status 101 when it was accepted. */
  ask(path: string, options?: ClientOptions): Promise<{ status: number; detail: string }>;
  port: number;
  closeConsoles(): void;
  close(): Promise<void>;
}

export const asAda: ClientOptions = { headers: { authorization: "Bearer ada" } };

const statuses: Partial<Record<ErrorCode, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  wrong_state: 409,
  rate_limited: 429,
  unavailable: 503,
};

export async function startTestConsole(
  limits: Partial<ConsoleLimits> = {},
  overrides: Partial<ConsoleDeps> = {},
): Promise<TestConsole> {
  const listeners = new Set<() => void>();
  // A socket stands for the VM: real back-pressure, real ends.
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  const machineSocket = join(folder, "vm.sock");
  const machineServer = createNetServer().listen(machineSocket);
  await once(machineServer, "listening");
  const openMachine = async (id: number) => {
    if (id === 8) throw new CumulusError("wrong_state", "VM 8 is off. Start it to see its screen.");
    const accepted = once(machineServer, "connection") as Promise<[Socket]>;
    const upstream = await connectByteStream(machineSocket);
    const [machine] = await accepted;
    machine.on("error", () => {});
    test.machines.push(machine);
    return upstream;
  };
  const upgrades = createConsoleUpgrades({
    authenticate: async ({ headers }) => {
      if (test.isDatabaseAway) throw new CumulusError("unavailable", "The database is away.");
      return test.users.get(headers.authorization ?? headers.cookie ?? "") ?? null;
    },
    findVm: async (id, { userName }) => (test.vms.get(id) === userName ? { id } : null),
    agent: { openVnc: openMachine, openSerial: openMachine },
    isAllowedHost: (host) => host?.startsWith("127.0.0.1:") ?? false,
    onRightsChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    toProblem: (error) => ({
      status: error instanceof CumulusError ? (statuses[error.code] ?? 500) : 500,
      detail: error instanceof Error ? error.message : "",
    }),
    log: { warn: (_details, message) => test.warnings.push(message) },
    limits,
    ...overrides,
  });
  const server = createServer();
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket));
  server.on("upgrade", (request, _socket, head) => upgrades.handleUpgrade(request, request.socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const clients: WebSocket[] = [];

  const test: TestConsole = {
    machines: [],
    users: new Map([
      ["Bearer ada", { kind: "token", userName: "ada" }],
      ["session=ada", { kind: "session", userName: "ada" }],
      ["Bearer bob", { kind: "token", userName: "bob" }],
    ]),
    vms: new Map([
      [7, "ada"],
      [8, "ada"],
    ]),
    isDatabaseAway: false,
    changed: () => {
      for (const listener of listeners) listener();
    },
    warnings: [],
    open(path, options = asAda, protocols = []) {
      const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options);
      clients.push(client);
      return client;
    },
    ask(path, options = asAda) {
      const client = test.open(path, options);
      return new Promise((resolve, reject) => {
        client.on("open", () => resolve({ status: 101, detail: "" }));
        client.on("error", reject);
        client.on("unexpected-response", async (_request, response) => {
          let body = "";
          for await (const chunk of response) body += chunk;
          resolve({ status: response.statusCode ?? 0, detail: JSON.parse(body).detail });
        });
      });
    },
    port,
    closeConsoles: () => upgrades.close(),
    async close() {
      for (const client of clients) client.terminate();
      for (const socket of [...test.machines, ...sockets]) socket.destroy();
      server.close();
      machineServer.close();
      await Promise.all([once(server, "close"), once(machineServer, "close")]);
      await rm(folder, { recursive: true });
    },
  };
  return test;
}

/** Waits until the condition holds; fails at the deadline with what was waited for. */
export async function until(what: string, condition: () => boolean, deadlineMs = 60_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
