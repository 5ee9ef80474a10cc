import type { Metadata } from "next";
import { Suspense } from "react";
import { CreatePage } from "../../../../components/vms/create/CreatePage";
import { CreateSkeleton } from "../../../../components/vms/create/CreateSkeleton";

export const metadata: Metadata = { title: "Create a VM" };

export default function NewVm() {
  return (
    <Suspense fallback={<CreateSkeleton />}>
      <CreatePage />
    </Suspense>
  );
}
