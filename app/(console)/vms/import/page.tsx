import type { Metadata } from "next";
import { ImportPage } from "../../../../components/vms/import/ImportPage";

export const metadata: Metadata = { title: "Import a VM" };

export default function ImportVm() {
  return <ImportPage />;
}
