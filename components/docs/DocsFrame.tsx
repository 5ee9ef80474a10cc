import Link from "next/link";
import type { ReactNode } from "react";
import { Logo } from "../frame/Logo";
import { ThemeMenu } from "../frame/ThemeMenu";
import { ButtonLink } from "../ui/ButtonLink";
import { GuidesNav, type GuideTitle } from "./GuidesNav";

interface DocsFrameProps {
  /** Right of the logo. */
  title: string;
  guides: GuideTitle[];
  /** The name of the guide that is open. */
  current?: string;
  /** What the page itself holds. */
  nav?: ReactNode;
  children: ReactNode;
}

/** What stands around each page of the docs. On a phone the guides stand over the page, and what it holds is left out. */
export function DocsFrame({ title, guides, current, nav, children }: DocsFrameProps) {
  return (
    <>
      <header className="sticky top-0 z-20 flex h-12 items-center gap-3 border-line border-b bg-surface px-4 sm:px-6">
        <Link href="/" className="flex items-center gap-2 font-medium">
          <Logo className="size-5" />
          Cumulus
        </Link>
        <span className="flex-1 text-muted">{title}</span>
        <ThemeMenu />
        <ButtonLink size="sm" href="/">
          Open console
        </ButtonLink>
      </header>
      <div className="mx-auto max-w-[1200px] gap-8 px-4 sm:px-6 lg:flex">
        <div className="top-12 flex shrink-0 flex-col gap-4 border-line border-b py-4 lg:sticky lg:h-[calc(100dvh-3rem)] lg:w-56 lg:overflow-y-auto lg:border-b-0 lg:py-6">
          <GuidesNav guides={guides} current={current} />
          {nav ? <div className="hidden lg:block">{nav}</div> : null}
        </div>
        <main className="min-w-0 flex-1 py-6">{children}</main>
      </div>
    </>
  );
}
