import Link from "next/link";
import type { ReactNode } from "react";
import { cx } from "./cx";

/** The look of a link in running text or in a table: coloured and underlined, since colour alone doesn't tell. */
export const textLinkClass =
  "text-accent-ink underline decoration-accent-ink/35 underline-offset-2 transition-colors duration-100 hover:decoration-accent-ink";

interface TextLinkProps {
  href: string;
  className?: string;
  children: ReactNode;
}

/** A link to a page. It fetches nothing ahead: a table may hold hundreds. */
export function TextLink({ href, className, children }: TextLinkProps) {
  return (
    <Link href={href} prefetch={false} className={cx(textLinkClass, className)}>
      {children}
    </Link>
  );
}
