import { AccountMenu } from "./AccountMenu";
import { ActivityIndicator } from "./ActivityIndicator";
import { Breadcrumb } from "./Breadcrumb";
import { ReconnectingBadge } from "./ConnectionState";
import { SearchButton } from "./SearchButton";
import { ThemeMenu } from "./ThemeMenu";

export function TopBar({ userName }: { userName: string }) {
  return (
    <header className="sticky top-0 z-20 flex h-12 items-center gap-1 border-line border-b bg-surface px-4 sm:px-6">
      <Breadcrumb />
      <ReconnectingBadge />
      <SearchButton />
      <ActivityIndicator />
      <ThemeMenu />
      <AccountMenu userName={userName} />
    </header>
  );
}
