"use client";

import { useSWRConfig } from "swr";
import { keys } from "../data/keys";

/** Reads a VM's snapshots and operations anew, wherever they are shown: after an act, without waiting for its event. */
export function useSnapshotRefresh(): (vmId: number) => Promise<unknown> {
  const { mutate } = useSWRConfig();
  const ofVm = (vmId: number) => [keys.snapshots, keys.snapshotsOfVm(vmId), keys.operationsOfVm(vmId), keys.vm(vmId)];
  return (vmId) => Promise.all(ofVm(vmId).map((key) => mutate(key)));
}
