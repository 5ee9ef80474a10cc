"use client";

import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { useSWRConfig } from "swr";
import type { Vm } from "../../../lib/domain/vm";
import { keys } from "../../data/keys";
import { Banner } from "../../ui/Banner";
import { notify } from "../../ui/notify";
import { Page } from "../../ui/Page";
import { TabNav } from "../../ui/TabNav";
import { ShortcutsDialog } from "../shared/ShortcutsDialog";
import { NoSuchVm } from "./NoSuchVm";
import { useKnownVm } from "./useKnownVm";
import { VmAnnouncer } from "./VmAnnouncer";
import { VmFrameSkeleton } from "./VmFrameSkeleton";
import { VmHeader } from "./VmHeader";
import { VmNotice } from "./VmNotice";
import { VmContext } from "./vmContext";
import { vmPageHints } from "./vmPageHints";
import { isConsolePath, tabsOf } from "./vmPaths";

/** What stands around every tab of a VM's page. @param id null for an address that names no VM */
export function VmFrame({ id, children }: { id: number | null; children: ReactNode }) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const { data: vm, error, reload } = useKnownVm(id);
  const isConsole = isConsolePath(usePathname());
  const isGone = error?.status === 404;
  const gone = isGone ? vm : undefined;
  useEffect(() => {
    if (!gone) return;
    // The list must not show it until it has been read again.
    void mutate<{ items: Vm[] }>(
      keys.vms,
      (list) => list && { ...list, items: list.items.filter(({ id }) => id !== gone.id) },
    );
    notify(`${gone.name} is destroyed.`);
    router.replace("/");
  }, [gone, mutate, router]);

  // Next leaves the window scrolled as it was wherever a tab's own top is in view: then the header would not be.
  useEffect(() => {
    window.scrollTo(0, 0);
  }, []);

  if (id === null || (isGone && vm === undefined)) return <NoSuchVm />;
  return (
    <Page wide={isConsole}>
      {error && !isGone ? (
        <Banner tone="bad" title="This VM could not be read" onRetry={reload} className="mb-4">
          {error.detail} {vm ? "What you see is what was read last." : null}
        </Banner>
      ) : null}
      {vm ? (
        <VmContext value={vm}>
          <VmAnnouncer vm={vm} />
          <VmHeader vm={vm} />
          <VmNotice vm={vm} />
          <TabNav label={`Pages of ${vm.name}`} items={tabsOf(vm.id)} />
          <div className="pt-4">{children}</div>
          <ShortcutsDialog hints={vmPageHints} />
        </VmContext>
      ) : error ? null : (
        <VmFrameSkeleton />
      )}
    </Page>
  );
}
