import type { Metadata } from "next";
import { VmConsole } from "../../../../../components/vms/detail/console/VmConsole";

export const metadata: Metadata = { title: "Serial" };

export default function Serial() {
  return <VmConsole kind="serial" />;
}
