"use client";

import useSWR from "swr";
import type { ApiProblem } from "../../lib/api/client";
import type { Host } from "../../lib/domain/host";
import type { Image } from "../../lib/domain/image";
import type { Network } from "../../lib/domain/network";
import type { Operation } from "../../lib/domain/operation";
import type { Size } from "../../lib/domain/size";
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

/** @param key null reads nothing */
function useReading<T>(key: string | null, initial?: T): Reading<T> {
  const { data, error, mutate } = useSWR<T, ApiProblem>(key, initial === undefined ? {} : { fallbackData: initial });
  return { data, error, reload: () => void mutate() };
}

function useList<T>(key: string | null, initial?: T[]): Reading<T[]> {
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

export const useSshKeys = (initial?: SshKey[]) => useList<SshKey>(keys.sshKeys, initial);

export const useTokens = (initial?: Token[]) => useList<Token>(keys.tokens, initial);
