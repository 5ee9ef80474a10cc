"use client";

import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
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
  const { data: vm, error, reload } = useKnownVm(id);
  const isConsole = isConsolePath(usePathname());
  const isGone = error?.status === 404;
  const goneName = isGone ? vm?.name : undefined;
  useEffect(() => {
    if (goneName === undefined) return;
    notify(`${goneName} is destroyed.`);
    router.replace("/");
  }, [goneName, router]);

  if (id === null || (isGone && vm === undefined)) return <NoSuchVm />;
  return (
    <Page wide={isConsole}><i data-dbg={usePathname()} />
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
