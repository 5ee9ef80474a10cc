import type { Metadata } from "next";
import { VmActivity } from "../../../../../components/vms/detail/VmActivity";

export const metadata: Metadata = { title: "Activity" };

export default function Activity() {
  return <VmActivity />;
}
