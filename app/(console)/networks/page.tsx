import type { Metadata } from "next";
import { NetworksPage } from "../../../components/networks/NetworksPage";
import { Page } from "../../../components/ui/Page";

export const metadata: Metadata = { title: "Networks" };

export default function Networks() {
  return (
    <Page wide>
      <NetworksPage />
    </Page>
  );
}
