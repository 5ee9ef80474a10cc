import type { Metadata } from "next";
import { AccountSettings } from "../../../../components/settings/AccountSettings";
import { requireSession } from "../../../../lib/auth/session";

export const metadata: Metadata = { title: "Account" };

export default async function AccountPage() {
  const { user } = await requireSession();
  return <AccountSettings userName={user.name} />;
}
