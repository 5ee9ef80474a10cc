"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useVm } from "../data/hooks";
import { sectionOf } from "./sections";

interface Crumb {
  href: string;
  label: string;
}

/** Where this page is: "VMs / web-1 / Console". */
export function Breadcrumb() {
  const crumbs = useCrumbs(usePathname());
  return (
    <nav aria-label="Breadcrumb" className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center text-sm">
        {crumbs.map((crumb, index) => (
          <li key={crumb.href} className="flex min-w-0 items-center last:shrink">
            {index > 0 ? (
              <span aria-hidden className="px-2 text-faint">
                /
              </span>
            ) : null}
            {index === crumbs.length - 1 ? (
              <span aria-current="page" className="truncate">
                {crumb.label}
              </span>
            ) : (
              <Link href={crumb.href} className="truncate text-muted hover:text-ink">
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
  const vmId = /^\/vms\/(\d+)/.exec(pathname)?.[1];
  const { data: vm } = useVm(vmId === undefined ? null : Number(vmId));
  if (!section) return [];
  const crumbs: Crumb[] = [{ href: section.href, label: section.label }];
  const parts = pathname.split("/").filter(Boolean);
  // The section's own word is there already.
  for (let depth = 1; depth < parts.length; depth++) {
    const part = parts[depth] ?? "";
    const label = depth === 1 && vmId !== undefined ? (vm?.name ?? `VM ${vmId}`) : wordOf(part);
    crumbs.push({ href: `/${parts.slice(0, depth + 1).join("/")}`, label });
  }
  return crumbs;
}

const words: Record<string, string> = { "ssh-keys": "SSH keys", tokens: "API tokens", new: "New" };

function wordOf(part: string): string {
  if (/^\d+$/.test(part)) return `#${part}`;
  return words[part] ?? part.charAt(0).toUpperCase() + part.slice(1).replaceAll("-", " ");
}
