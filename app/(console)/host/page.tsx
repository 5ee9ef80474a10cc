import type { Metadata } from "next";
import { HostPage } from "../../../components/host/HostPage";
import { Page } from "../../../components/ui/Page";

export const metadata: Metadata = { title: "Host" };

export default function Host() {
  return (
    <Page>
      <HostPage />
    </Page>
  );
}
