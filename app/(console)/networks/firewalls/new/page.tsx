import type { Metadata } from "next";
import { FirewallPage } from "../../../../../components/networks/firewalls/FirewallPage";

export const metadata: Metadata = { title: "Create a firewall" };

export default function NewFirewall() {
  return <FirewallPage id="new" />;
}
