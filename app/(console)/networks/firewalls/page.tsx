import type { Metadata } from "next";
import { FirewallsPage } from "../../../../components/networks/firewalls/FirewallsPage";
import { Page } from "../../../../components/ui/Page";

export const metadata: Metadata = { title: "Firewalls" };

export default function Firewalls() {
  return (
    <Page wide>
      <FirewallsPage />
    </Page>
  );
}
