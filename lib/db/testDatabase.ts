import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings, type Settings } from "../env";
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
