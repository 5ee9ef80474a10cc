import type { ReactNode } from "react";
import { LiveData } from "../../components/data/LiveData";
import { requireSession } from "../../lib/auth/session";

/** Windows that hold one thing, without the frame. */
export default async function WindowLayout({ children }: { children: ReactNode }) {
  await requireSession();
  return <LiveData>{children}</LiveData>;
}
