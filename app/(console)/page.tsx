import type { Metadata } from "next";
import { Suspense } from "react";
import { VmListSkeleton } from "../../components/vms/list/VmListSkeleton";
import { VmsPage } from "../../components/vms/list/VmsPage";

export const metadata: Metadata = { title: "Virtual machines" };

export default function Vms() {
  return (
    <Suspense fallback={<VmListSkeleton />}>
      <VmsPage />
    </Suspense>
  );
}
