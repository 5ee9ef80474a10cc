"use client";

import { useSWRConfig } from "swr";
import type { Vm } from "../../../lib/domain/vm";
import { type Reading, useVm } from "../../data/hooks";
import { keys } from "../../data/keys";

/** A VM; what the list knows of it stands in until the first answer, so that opening a row shows it at once. */
export function useKnownVm(id: number | null): Reading<Vm> {
  const { cache } = useSWRConfig();
  const list: { items: Vm[] } | undefined = cache.get(keys.vms)?.data;
  return useVm(
    id,
    list?.items.find((vm) => vm.id === id),
  );
}
