"use client";

import { BookOpen } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { cx } from "../ui/cx";
import { ConnectionState } from "./ConnectionState";
import { Logo } from "./Logo";
import { sectionOf, sections } from "./sections";

const itemClass =
  "flex items-center rounded-md text-muted text-sm transition-colors duration-100 hover:bg-raised hover:text-ink aria-[current]:bg-raised aria-[current]:font-medium aria-[current]:text-ink [&_svg]:size-4 [&_svg]:shrink-0";

/** The sections: a rail with words on wide screens, with icons on middle ones. */
export function Rail() {
  const current = sectionOf(usePathname());
  return (
    <nav
      aria-label="Sections"
      className="sticky top-0 hidden h-dvh w-13 shrink-0 flex-col border-line border-r bg-surface sm:flex lg:w-52"
    >
      <Link href="/" className="flex h-12 items-center justify-center gap-2 px-3 font-medium lg:justify-start lg:px-4">
        <Logo className="size-5" />
        <span className="sr-only lg:not-sr-only">Cumulus</span>
      </Link>
      <div className="flex-1 overflow-y-auto px-2 py-2">
        <ul className="flex flex-col gap-0.5">
          {sections.map((section) => (
            <li key={section.href}>
              <Link
                href={section.href}
                title={section.label}
                aria-current={section === current ? "page" : undefined}
                className={cx(itemClass, "h-8 justify-center gap-2.5 lg:justify-start lg:px-2.5")}
              >
                <section.icon aria-hidden />
                <span className="sr-only lg:not-sr-only">{section.label}</span>
              </Link>
            </li>
          ))}
        </ul>
      </div>
      <div className="flex flex-col gap-0.5 px-2 py-3">
        <Link
          href="/docs"
          title="Docs"
          className={cx(itemClass, "h-8 justify-center gap-2.5 lg:justify-start lg:px-2.5")}
        >
          <BookOpen aria-hidden />
          <span className="sr-only lg:not-sr-only">Docs</span>
        </Link>
        <ConnectionState />
      </div>
    </nav>
  );
}

/** The sections as a bar along the bottom of narrow screens. */
export function BottomBar() {
  const current = sectionOf(usePathname());
  return (
    <nav
      aria-label="Sections"
      className="fixed inset-x-0 bottom-0 z-30 border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden"
    >
      <ul className="flex">
        {sections.map((section) => (
          <li key={section.href} className="flex-1">
            <Link
              href={section.href}
              aria-current={section === current ? "page" : undefined}
              className="flex h-14 flex-col items-center justify-center gap-1 text-2xs text-muted focus-visible:-outline-offset-2 aria-[current]:text-accent-ink [&_svg]:size-4.5"
            >
              <section.icon aria-hidden />
              {section.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
