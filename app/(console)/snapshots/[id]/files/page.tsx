import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Suspense } from "react";
import { FilesPage } from "../../../../../components/snapshots/files/FilesPage";
import { Page } from "../../../../../components/ui/Page";

export const metadata: Metadata = { title: "Files of a snapshot" };

export default async function SnapshotFiles({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  if (!/^[1-9]\d{0,9}$/.test(id)) notFound();
  return (
    <Page>
      <Suspense>
        <FilesPage snapshotId={Number(id)} />
      </Suspense>
    </Page>
  );
}
