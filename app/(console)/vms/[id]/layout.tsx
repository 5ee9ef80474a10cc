import type { Metadata } from "next";
import type { ReactNode } from "react";
import { VmFrame } from "../../../../components/vms/detail/VmFrame";
import { parseVmId } from "../../../../components/vms/detail/vmPaths";
import { requireSession } from "../../../../lib/auth/session";
import { vmTitle } from "../../../../lib/vmTitle";

interface VmLayoutProps {
  params: Promise<{ id: string }>;
  children: ReactNode;
}

export async function generateMetadata({ params }: VmLayoutProps): Promise<Metadata> {
  await requireSession();
  const title = await vmTitle(parseVmId((await params).id));
  return { title: { default: title, template: `%s · ${title} · Cumulus` } };
}

export default async function VmLayout({ params, children }: VmLayoutProps) {
  return <VmFrame id={parseVmId((await params).id)}>{children}</VmFrame>;
}
