import type { Metadata } from "next";
import { NetworkPage } from "../../../../components/networks/detail/NetworkPage";

export const metadata: Metadata = { title: "Network" };

export default async function Network({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <NetworkPage id={/^[1-9]\d{0,9}$/.test(id) ? Number(id) : null} />;
}
