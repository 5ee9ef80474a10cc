import type { Metadata } from "next";
import { SnapshotsPage } from "../../../components/snapshots/SnapshotsPage";
import { Page } from "../../../components/ui/Page";

export const metadata: Metadata = { title: "Snapshots" };

export default function Snapshots() {
  return (
    <Page wide>
      <SnapshotsPage />
    </Page>
  );
}
