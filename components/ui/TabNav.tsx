"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { cx } from "./cx";

export interface TabNavItem {
  href: string;
  label: string;
  /** A number behind the label. */
  count?: number;
}

interface TabNavProps {
  /** The accessible name of the navigation. */
  label: string;
  items: TabNavItem[];
}

/** On a phone there is not room for all of them. */
function bringIntoSight(tab: HTMLAnchorElement | null): void {
  tab?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Tabs that are routes: the current one is the one whose path is open. */
export function TabNav({ label, items }: TabNavProps) {
  const pathname = usePathname();
  return (
    <nav aria-label={label} className="-mx-4 overflow-x-auto border-line border-b px-4 sm:mx-0 sm:px-0">
      <ul className="flex gap-1">
        {items.map((item) => {
          const isCurrent = pathname === item.href;
          return (
            <li key={item.href}>
              <Link
                href={item.href}
                aria-current={isCurrent ? "page" : undefined}
                ref={isCurrent ? bringIntoSight : undefined}
                className={cx(
                  "flex h-9 items-center gap-1.5 whitespace-nowrap border-b-2 px-2.5 text-sm transition-colors duration-100 focus-visible:-outline-offset-2",
                  isCurrent
                    ? "border-accent font-medium text-ink"
                    : "border-transparent text-muted hover:border-line-strong hover:text-ink",
                )}
              >
                {item.label}
                {item.count === undefined ? null : (
                  <span className="text-faint text-xs tabular-nums">{item.count}</span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
