import type { Metadata } from "next";
import { VmNetworking } from "../../../../../components/vms/detail/networking/VmNetworking";

export const metadata: Metadata = { title: "Networking" };

export default function Networking() {
  return <VmNetworking />;
}
