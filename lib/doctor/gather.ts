import type pg from "pg";
import { type NetworkState, stateOfHosts } from "../domain/hostNetwork";
import { pathsOf, type Settings } from "../env";
import { gatherDatabase } from "./gather/database";
import { gatherFiles } from "./gather/files";
import { gatherLayers, gatherSnapshotFolders } from "./gather/layers";
import { gatherNetwork } from "./gather/network";
import { gatherProcesses } from "./gather/processes";
import { gatherMachines, gatherManifests, gatherPidFiles } from "./gather/records";
import type { NetworkFact, Snapshot } from "./snapshot";

/** One look at an installation. Rejects when the database doesn't answer, or we may not look. */
export async function gatherSnapshot(settings: Settings, pool: pg.Pool): Promise<Snapshot> {
  const { dataDir, runDir } = settings;
  const { images, staging, layers, snapshots, machines, machineSockets } = pathsOf(settings);
  const paths = { dataDir, runDir, images, staging, layers, snapshots, machines, machineSockets };
  const [{ driver, askedNetworks, bridgedVmIds, ...database }, files, processes, network] = await Promise.all([
    gatherDatabase(pool, settings.port),
    gatherFiles(paths),
    gatherProcesses(paths),
    gatherNetwork(paths),
  ]);
  const [vmFolders, manifests, layerFacts, snapshotFolders, pidFiles] = await Promise.all([
    gatherMachines(files, paths),
    gatherManifests(files, paths),
    gatherLayers(files, paths),
    gatherSnapshotFolders(files, paths),
    gatherPidFiles(files, paths),
  ]);
  return {
    takenAtMs: Date.now(),
    paths,
    ...database,
    // In user mode, VMs that still run on bridges are the only ones there.
    askedNetworks: askedNetworks && driver === "user" ? keptOf(askedNetworks, network, bridgedVmIds) : askedNetworks,
    files,
    machines: vmFolders,
    manifests,
    layers: layerFacts,
    snapshotFolders,
    pidFiles,
    processes,
    network,
  };
}

/** What is asked of bridges of before: about interfaces that the host keeps there, and those of VMs that run on one, whether or not it does. */
function keptOf(
  asked: NetworkState,
  network: NetworkFact | null,
  bridgedVmIds: ReadonlySet<number>,
): NetworkState | null {
  if (network === null) return null;
  const kept = network.written.networks.flatMap(({ hosts }) => hosts);
  const bridged = asked.networks.flatMap(({ hosts }) => hosts).filter(({ vmId }) => bridgedVmIds.has(vmId));
  return stateOfHosts(asked, [...kept, ...bridged]);
}
