import type { Metadata } from "next";
import { ConsoleWindow } from "../../../../../components/vms/detail/console/ConsoleWindow";
import { parseVmId } from "../../../../../components/vms/detail/vmPaths";
import { requireSession } from "../../../../../lib/auth/session";
import { vmTitle } from "../../../../../lib/vmTitle";

interface WindowProps {
  params: Promise<{ id: string }>;
}

export async function generateMetadata({ params }: WindowProps): Promise<Metadata> {
  await requireSession();
  return { title: `Console of ${await vmTitle(parseVmId((await params).id))}` };
}

export default async function Window({ params }: WindowProps) {
  return <ConsoleWindow id={parseVmId((await params).id)} />;
}
