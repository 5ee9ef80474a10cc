import type { Metadata } from "next";
import { RepositoryList } from "../../../../components/backups/RepositoryList";

export const metadata: Metadata = { title: "Backup repositories" };

export default function BackupRepositoriesPage() {
  return <RepositoryList />;
}
