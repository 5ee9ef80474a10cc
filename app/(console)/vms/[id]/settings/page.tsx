import type { Metadata } from "next";
import { VmSettings } from "../../../../../components/vms/detail/settings/VmSettings";

export const metadata: Metadata = { title: "Settings" };

export default function Settings() {
  return <VmSettings />;
}
