"use client";

import useSWR from "swr";
import type { ApiProblem } from "../../lib/api/client";
import type { Backup, BackupRepository, StoredBackup } from "../../lib/domain/backup";
import type { BackupPolicy } from "../../lib/domain/backupPolicy";
import type { Host } from "../../lib/domain/host";
import type { Image } from "../../lib/domain/image";
import type { Network } from "../../lib/domain/network";
import type { Operation } from "../../lib/domain/operation";
import type { Size } from "../../lib/domain/size";
import type { Snapshot } from "../../lib/domain/snapshot";
import type { SnapshotFile } from "../../lib/domain/snapshotFile";
import type { SnapshotCost } from "../../lib/domain/snapshotManifest";
import type { SshKey } from "../../lib/domain/sshKey";
import type { Token } from "../../lib/domain/token";
import type { Vm } from "../../lib/domain/vm";
import { keys } from "./keys";

/** Something read from the API and kept true by events. What was read last stays while a newer reading fails. */
export interface Reading<T> {
  /** Undefined until the first answer. */
  data: T | undefined;
  error: ApiProblem | undefined;
  /** Reads it again, now. */
  reload: () => void;
}

interface List<T> {
  items: T[];
}

/**
 * @param key null reads nothing
 * @param againMs how often it is read again, for what no event tells of; 0 for not at all
 */
export function useReading<T>(key: string | null, initial?: T, againMs = 0): Reading<T> {
  const { data, error, mutate } = useSWR<T, ApiProblem>(key, {
    ...(initial !== undefined && { fallbackData: initial }),
    refreshInterval: againMs,
  });
  return { data, error, reload: () => void mutate() };
}

export function useList<T>(key: string | null, initial?: T[]): Reading<T[]> {
  const { data, ...rest } = useReading<List<T>>(key, initial && { items: initial });
  return { data: data?.items, ...rest };
}

/** All live VMs. @param initial what the server rendered with */
export const useVms = (initial?: Vm[]) => useList<Vm>(keys.vms, initial);

/** One VM; null reads none. */
export const useVm = (id: number | null, initial?: Vm) => useReading<Vm>(id === null ? null : keys.vm(id), initial);

export const useHost = (initial?: Host) => useReading<Host>(keys.host, initial);

export const useImages = (initial?: Image[]) => useList<Image>(keys.images, initial);

export const useSizes = (initial?: Size[]) => useList<Size>(keys.sizes, initial);

export const useNetworks = (initial?: Network[]) => useList<Network>(keys.networks, initial);

/** Operations, newest first: of one VM, or of all. */
export const useOperations = (vmId?: number, initial?: Operation[]) =>
  useList<Operation>(vmId === undefined ? keys.operations : keys.operationsOfVm(vmId), initial);

/** Snapshots of all VMs, also of those that are destroyed. */
export const useSnapshots = () => useList<Snapshot>(keys.snapshots);

/** Those of a live VM; null reads none. */
export const useVmSnapshots = (vmId: number | null) =>
  useList<Snapshot>(vmId === null ? null : keys.snapshotsOfVm(vmId));

export const useSnapshotCost = (vmId: number) => useReading<SnapshotCost>(keys.snapshotCost(vmId));

/** A VM's backups, newest first. */
export const useBackups = (vmId: number) => useList<Backup>(keys.backups(vmId));

export const useBackupPolicy = (vmId: number) =>
  useReading<{ policy: BackupPolicy | null; nextAt: string | null }>(keys.backupPolicy(vmId));

export const useBackupRepositories = () => useList<BackupRepository>(keys.backupRepositories);

/** What a repository says is in it; reading it takes the repository a second or more. */
export const useStoredBackups = (repositoryId: number) => useList<StoredBackup>(keys.storedBackups(repositoryId));

/** One operation; null reads none. */
export const useOperation = (id: number | null) => useReading<Operation>(id === null ? null : keys.operation(id));

/** Entries of a folder of a snapshot; the first look into one takes a while. */
export const useSnapshotFiles = (snapshotId: number, path: string) =>
  useReading<List<SnapshotFile> & { totalCount: number }>(
    `/api/snapshots/${snapshotId}/files?path=${encodeURIComponent(path)}`,
  );

export const useSshKeys = (initial?: SshKey[]) => useList<SshKey>(keys.sshKeys, initial);

export const useTokens = (initial?: Token[]) => useList<Token>(keys.tokens, initial);
