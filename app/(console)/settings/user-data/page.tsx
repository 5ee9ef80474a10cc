import type { Metadata } from "next";
import { TemplateList } from "../../../../components/settings/userData/TemplateList";

export const metadata: Metadata = { title: "User data" };

export default function UserDataPage() {
  return <TemplateList />;
}
