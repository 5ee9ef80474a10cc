"use client";

import { FolderOpen } from "lucide-react";
import { useSearchParams } from "next/navigation";
import { useSnapshotFiles, useSnapshots } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { PageHeader } from "../../ui/PageHeader";
import { TextLink } from "../../ui/TextLink";
import { FileTable } from "./FileTable";
import { filesHref, foldersOf } from "./guestPaths";
import { Opening } from "./Opening";

/** Looks into a snapshot's file systems without booting it. The folder is in the address. */
export function FilesPage({ snapshotId }: { snapshotId: number }) {
  const path = useSearchParams().get("path") ?? "/";
  const { data: snapshots } = useSnapshots();
  const { data: listing, error, reload } = useSnapshotFiles(snapshotId, path);
  const snapshot = snapshots?.find(({ id }) => id === snapshotId);
  return (
    <>
      <PageHeader
        title={snapshot ? `Files of ${snapshot.name}` : "Files"}
        description={
          <>
            {snapshot ? `${snapshot.vm.name} as it was, read-only. ` : null}
            <TextLink href="/snapshots">All snapshots</TextLink>
          </>
        }
      />
      <nav aria-label="Folders" className="mb-3">
        <ol className="flex flex-wrap items-center gap-1 font-mono text-sm">
          {foldersOf(path).map((folder, index, all) => (
            <li key={folder.path} className="flex items-center gap-1">
              {index > 1 ? <span aria-hidden>/</span> : null}
              {index === all.length - 1 ? (
                <span aria-current="page">{folder.name}</span>
              ) : (
                <TextLink href={filesHref(snapshotId, folder.path)}>{folder.name}</TextLink>
              )}
            </li>
          ))}
        </ol>
      </nav>
      <Card flush>
        {error ? (
          <div className="p-4">
            <Banner tone="bad" title="This folder could not be read" onRetry={reload}>
              {error.detail}
            </Banner>
          </div>
        ) : listing === undefined ? (
          <Opening />
        ) : listing.items.length === 0 ? (
          <EmptyState icon={<FolderOpen aria-hidden />} title="This folder is empty" />
        ) : (
          <FileTable snapshotId={snapshotId} folder={path} files={listing.items} totalCount={listing.totalCount} />
        )}
      </Card>
    </>
  );
}
