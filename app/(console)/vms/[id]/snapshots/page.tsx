import type { Metadata } from "next";
import { VmSnapshots } from "../../../../../components/snapshots/VmSnapshots";

export const metadata: Metadata = { title: "Snapshots" };

export default function Snapshots() {
  return <VmSnapshots />;
}
