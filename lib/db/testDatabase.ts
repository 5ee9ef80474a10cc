import { chmod, mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathsOf, readSettings, type Settings } from "../env";
import { embeddedDatabase } from "./client";
import { startEmbeddedPostgres, stopEmbeddedPostgres } from "./embedded";

export interface TestDatabase {
  /** Settings whose data and run folders are temporary and whose database is a fresh embedded server. */
  settings: Settings;
  /** Stops the server and removes the folders. */
  stop(): Promise<void>;
}

/** A real PostgreSQL for one test file, empty but for the database `cumulus` (about a second). It also ends with the test's process. */
export async function startTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "cumulus-test-"));
  // The server runs as a user of its own when the test runs as root.
  await chmod(folder, 0o711);
  const settings = readSettings({
    NODE_ENV: "test",
    CUMULUS_DATA_DIR: join(folder, "data"),
    CUMULUS_RUN_DIR: join(folder, "run"),
    CUMULUS_ACCEL: "tcg",
    CUMULUS_NETWORK: "user",
  });
  const stop = async () => {
    await stopEmbeddedPostgres(settings);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await startEmbeddedPostgres(settings, { endsWithParent: true });
  } catch (error) {
    await stop();
    throw error;
  }
  return { settings, stop };
}

/** The same server as one of the user's own, by a URL: over TCP on loopback, until it is closed. */
export async function openTcp(settings: Settings): Promise<{ url: string; close(): Promise<void> }> {
  const socketPath = join(pathsOf(settings).postgresSocketDir, ".s.PGSQL.5432");
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(socketPath);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { user, database } = embeddedDatabase;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `postgres://${user}@127.0.0.1:${(server.address() as AddressInfo).port}/${database}`, close };
}
