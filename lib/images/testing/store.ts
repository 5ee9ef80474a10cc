import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Transfer } from "../../domain/task";
import { pathsOf, readSettings, type Settings } from "../../env";

/** An installation's folders, with nothing in them; gone when the test is. */
export async function emptyInstallation(env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "images-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const settings: Settings = readSettings({
    NODE_ENV: "test",
    CUMULUS_DATA_DIR: join(folder, "data"),
    CUMULUS_RUN_DIR: join(folder, "run"),
    ...env,
  });
  const paths = pathsOf(settings);
  return {
    folder,
    settings,
    paths,
    left: async () => [...(await names(paths.staging)), ...(await names(paths.images))],
  };
}

/** What a task tells, kept. */
export function recordingReport() {
  const told: { percent: number; message: string; transfer: Transfer | undefined }[] = [];
  const lines: string[] = [];
  return {
    told,
    lines,
    progress: (percent: number, message: string, transfer?: Transfer) => void told.push({ percent, message, transfer }),
    log: (line: string) => void lines.push(line),
  };
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
