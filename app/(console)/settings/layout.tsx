import type { ReactNode } from "react";
import { Page } from "../../../components/ui/Page";
import { PageHeader } from "../../../components/ui/PageHeader";
import { TabNav } from "../../../components/ui/TabNav";

const tabs = [
  { href: "/settings/ssh-keys", label: "SSH keys" },
  { href: "/settings/tokens", label: "API tokens" },
  { href: "/settings/user-data", label: "User data" },
  { href: "/settings/backups", label: "Backups" },
  { href: "/settings/account", label: "Account" },
  { href: "/settings/appearance", label: "Appearance" },
];

export default function SettingsLayout({ children }: { children: ReactNode }) {
  return (
    <Page>
      <PageHeader title="Settings" />
      <TabNav label="Settings" items={tabs} />
      <div className="pt-4">{children}</div>
    </Page>
  );
}
