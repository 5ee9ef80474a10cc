import type { ReactNode } from "react";
import { BottomBar, Rail } from "./Rail";
import { TopBar } from "./TopBar";

/** What stands around every page of the console. */
export function Frame({ userName, children }: { userName: string; children: ReactNode }) {
  return (
    <div className="flex min-h-dvh">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-60 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        Skip to content
      </a>
      <Rail />
      <div className="flex min-w-0 flex-1 flex-col">
        <TopBar userName={userName} />
        <main id="content" tabIndex={-1} className="flex-1 pb-16 outline-none sm:pb-0">
          {children}
        </main>
      </div>
      <BottomBar />
    </div>
  );
}
