"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useReading } from "../data/hooks";
import { sectionOf } from "./sections";

interface Crumb {
  path: string;
  label: string;
  /** There is nothing to be seen at a snapshot's own path. */
  isPage: boolean;
}

/** Where this page is: "VMs / web-1 / Console". */
export function Breadcrumb() {
  const crumbs = useCrumbs(usePathname());
  return (
    <nav aria-label="Breadcrumb" className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center text-sm">
        {crumbs.map((crumb, index) => (
          <li key={crumb.path} className="flex min-w-0 items-center last:shrink">
            {index > 0 ? (
              <span aria-hidden className="px-2 text-faint">
                /
              </span>
            ) : null}
            {index === crumbs.length - 1 ? (
              <span aria-current="page" className="truncate">
                {crumb.label}
              </span>
            ) : !crumb.isPage ? (
              <span className="truncate text-muted">{crumb.label}</span>
            ) : (
              <Link href={crumb.path} className="truncate text-muted hover:text-ink">
                {crumb.label}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function useCrumbs(pathname: string): Crumb[] {
  const section = sectionOf(pathname);
  const thing = thingOf(pathname);
  const { data } = useReading<{ name: string; title?: string }>(thing?.key ?? null);
  if (!section) return [];
  const crumbs: Crumb[] = [{ path: section.href, label: section.label, isPage: true }];
  const parts = pathname.split("/").filter(Boolean);
  // The section's own word is there already.
  for (let depth = 1; depth < parts.length; depth++) {
    const path = `/${parts.slice(0, depth + 1).join("/")}`;
    const name = path === thing?.path ? (data?.title ?? data?.name) : undefined;
    crumbs.push({ path, label: name ?? wordOf(parts[depth] ?? ""), isPage: !/^\/snapshots\/\d+$/.test(path) });
  }
  return crumbs;
}

/** What the page shows one of, and where its name is read. */
function thingOf(pathname: string): { path: string; key: string } | undefined {
  const [path, , kind, id] = /^\/(\w+\/)?(vms|images|networks|snapshots|recipes|firewalls)\/(\d+)/.exec(pathname) ?? [];
  return path === undefined ? undefined : { path, key: `/api/${kind}/${id}` };
}

const words: Record<string, string> = { "ssh-keys": "SSH keys", tokens: "API tokens", new: "New", import: "Import" };

function wordOf(part: string): string {
  if (/^\d+$/.test(part)) return `#${part}`;
  return words[part] ?? part.charAt(0).toUpperCase() + part.slice(1).replaceAll("-", " ");
}
