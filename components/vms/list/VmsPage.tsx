"use client";

import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useCallback, useDeferredValue, useRef, useState } from "react";
import type { Vm } from "../../../lib/domain/vm";
import { useImages, useVms } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { ButtonLink } from "../../ui/ButtonLink";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";
import { PageHeader } from "../../ui/PageHeader";
import { DestroyDialog } from "../actions/DestroyDialog";
import { ShortcutsDialog } from "../shared/ShortcutsDialog";
import { useShortcuts } from "../shared/useShortcuts";
import { ListToolbar } from "./ListToolbar";
import { useSelection } from "./useSelection";
import { useVmQuery } from "./useVmQuery";
import { VmListSkeleton } from "./VmListSkeleton";
import { VmTable } from "./VmTable";
import { pageOf, searchAndSort } from "./vmQuery";

/** Loaded with the first selection. */
const NoVms = dynamic(() => import("./NoVms").then((module) => module.NoVms));
const Pager = dynamic(() => import("./Pager").then((module) => module.Pager));
const BulkBar = dynamic(() => import("./BulkBar").then((module) => module.BulkBar), { ssr: false });

const hints = [
  { keys: ["C"], does: "Create a VM" },
  { keys: ["/"], does: "Search the list; Enter opens the first match" },
];

/** The console's first page: all VMs. */
export function VmsPage() {
  const router = useRouter();
  const { data: vms, error, reload } = useVms();
  const { data: images } = useImages();
  const [query, changeQuery] = useVmQuery();
  const selection = useSelection(vms ?? []);
  const [doomed, setDoomed] = useState<Vm[]>([]);
  const askToDestroy = useCallback((vm: Vm) => setDoomed([vm]), []);
  const searchInput = useRef<HTMLInputElement>(null);
  useShortcuts({ c: () => router.push("/vms/new"), "/": () => searchInput.current?.focus() });

  // The rows follow when there is time; the input never waits for them.
  const shown = useDeferredValue(query);
  const matching = searchAndSort(vms ?? [], shown.search, shown.sort);
  const { items, page, pageCount } = pageOf(matching, shown.page);
  return (
    <Page wide>
      <PageHeader
        title="Virtual machines"
        actions={
          <>
            <ButtonLink href="/vms/import">Import a VM</ButtonLink>
            <ButtonLink href="/vms/new" variant="primary" icon={<Plus aria-hidden />}>
              Create a VM
            </ButtonLink>
          </>
        }
      />
      {error ? (
        <Banner tone="bad" title="The list could not be read" onRetry={reload} className="mb-3">
          {error.detail} {vms ? "What you see is what was read last." : null}
        </Banner>
      ) : null}
      {vms === undefined ? (
        error ? null : (
          <VmListSkeleton />
        )
      ) : vms.length === 0 ? (
        <NoVms imageName={images?.[0]?.name ?? "mini"} />
      ) : (
        <>
          <ListToolbar
            query={query}
            onChange={changeQuery}
            onOpenFirst={() => items[0] && router.push(`/vms/${items[0].id}`)}
            searchInput={searchInput}
            shownCount={matching.length}
            totalCount={vms.length}
          />
          {matching.length === 0 ? (
            <div className="rounded-lg border border-line bg-surface">
              <EmptyState
                title={`No VM matches “${query.search}”`}
                action={<Button onClick={() => changeQuery({ search: "" })}>Clear the search</Button>}
              >
                Looked in names, ids, addresses, images, sizes, statuses and hosts.
              </EmptyState>
            </div>
          ) : (
            <VmTable
              vms={items}
              sort={query.sort}
              onSort={(sort) => changeQuery({ sort })}
              selection={selection}
              onDestroy={askToDestroy}
            />
          )}
          {pageCount > 1 ? (
            <Pager page={page} pageCount={pageCount} onPage={(wanted) => changeQuery({ page: wanted })} />
          ) : null}
          {selection.items.length > 0 ? (
            <BulkBar vms={selection.items} onClear={selection.clear} onDestroy={setDoomed} />
          ) : null}
        </>
      )}
      <DestroyDialog vms={doomed} onClose={() => setDoomed([])} onDone={selection.clear} />
      <ShortcutsDialog hints={hints} />
    </Page>
  );
}
