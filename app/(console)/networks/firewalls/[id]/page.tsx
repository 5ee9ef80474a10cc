import type { Metadata } from "next";
import { FirewallPage } from "../../../../../components/networks/firewalls/FirewallPage";

export const metadata: Metadata = { title: "Firewall" };

export default async function Firewall({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <FirewallPage id={/^[1-9]\d{0,9}$/.test(id) ? Number(id) : null} />;
}
