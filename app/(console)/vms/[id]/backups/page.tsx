import type { Metadata } from "next";
import { VmBackups } from "../../../../../components/backups/VmBackups";

export const metadata: Metadata = { title: "Backups" };

export default function Backups() {
  return <VmBackups />;
}
