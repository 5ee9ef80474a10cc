import type { Metadata } from "next";
import { VmConsole } from "../../../../../components/vms/detail/console/VmConsole";

export const metadata: Metadata = { title: "Console" };

export default function Console() {
  return <VmConsole kind="vnc" />;
}
