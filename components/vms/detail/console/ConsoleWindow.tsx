"use client";

import { useVm } from "../../../data/hooks";
import { Banner } from "../../../ui/Banner";
import { NoSuchVm } from "../NoSuchVm";
import { ConsoleSkeleton } from "./ConsoleSkeleton";
import { LazyVncConsole } from "./lazyConsoles";

/** A VM's screen in a window of its own: nothing else. @param id null for an address that names no VM */
export function ConsoleWindow({ id }: { id: number | null }) {
  const { data: vm, error, reload } = useVm(id);
  if (id === null || error?.status === 404) return <NoSuchVm />;
  return (
    <main className="h-dvh">
      {vm ? (
        <>
          <h1 className="sr-only">Console of {vm.name}</h1>
          <LazyVncConsole vmId={vm.id} vmName={vm.name} status={vm.status} />
        </>
      ) : error ? (
        <Banner tone="bad" title="This VM could not be read" onRetry={reload} className="m-4">
          {error.detail}
        </Banner>
      ) : (
        <ConsoleSkeleton />
      )}
    </main>
  );
}
