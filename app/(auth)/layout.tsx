import type { ReactNode } from "react";
import { Logo } from "../../components/frame/Logo";

/** A narrow card in the middle: sign in, first password. */
export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <main className="mx-auto flex min-h-dvh max-w-sm flex-col justify-center px-4 py-12">
      <div className="mb-6 flex items-center gap-2.5 text-lg">
        <Logo className="size-7" />
        <span className="font-medium">Cumulus</span>
      </div>
      {children}
    </main>
  );
}
