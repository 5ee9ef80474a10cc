import type { ReactNode } from "react";
import { LiveData } from "../../components/data/LiveData";
import { Frame } from "../../components/frame/Frame";
import { requireSession } from "../../lib/auth/session";

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  const { user } = await requireSession();
  return (
    <LiveData>
      <Frame userName={user.name}>{children}</Frame>
    </LiveData>
  );
}
