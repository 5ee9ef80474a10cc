import type pg from "pg";
import { pathsOf, type Settings } from "../env";
import { gatherDatabase } from "./gather/database";
import { gatherFiles } from "./gather/files";
import { gatherProcesses } from "./gather/processes";
import { gatherMachines, gatherManifests, gatherPidFiles } from "./gather/records";
import type { Snapshot } from "./snapshot";

/** One look at an installation. Rejects when the database doesn't answer, or we may not look. */
export async function gatherSnapshot(settings: Settings, pool: pg.Pool): Promise<Snapshot> {
  const { images, staging, machines, machineSockets } = pathsOf(settings);
  const paths = { dataDir: settings.dataDir, runDir: settings.runDir, images, staging, machines, machineSockets };
  const [database, files, processes] = await Promise.all([
    gatherDatabase(pool),
    gatherFiles(paths),
    gatherProcesses(paths),
  ]);
  const [vmFolders, manifests, pidFiles] = await Promise.all([
    gatherMachines(files, paths),
    gatherManifests(files, paths),
    gatherPidFiles(files, paths),
  ]);
  return { takenAtMs: Date.now(), paths, ...database, files, machines: vmFolders, manifests, pidFiles, processes };
}
