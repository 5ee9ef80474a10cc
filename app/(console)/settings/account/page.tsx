import type { Metadata } from "next";
import { AccountSettings } from "../../../../components/settings/AccountSettings";
import { needsSetup } from "../../../../lib/auth/account";
import { requireSession } from "../../../../lib/auth/session";
import { services } from "../../../../lib/services";

export const metadata: Metadata = { title: "Account" };

export default async function AccountPage() {
  const { user } = await requireSession();
  const hasPassword = !(await needsSetup(services().context.db));
  return <AccountSettings userName={user.name} hasPassword={hasPassword} />;
}
