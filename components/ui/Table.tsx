import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

interface TableProps {
  /** The table's accessible name. */
  label: string;
  children: ReactNode;
  className?: string;
}

/** A real table that scrolls sideways in its own box when it must. */
export function Table({ label, children, className }: TableProps) {
  return (
    <div className={cx("overflow-x-auto", className)}>
      <table aria-label={label} className="w-full border-collapse text-left text-sm">
        {children}
      </table>
    </div>
  );
}

/** The head; its children are `Th`s. */
export function TableHead({ children }: { children: ReactNode }) {
  return (
    <thead>
      <tr className="border-line border-b">{children}</tr>
    </thead>
  );
}

export function TableBody({ children }: { children: ReactNode }) {
  return <tbody className="[&>tr:last-child]:border-b-0">{children}</tbody>;
}

export function Th({ className, ...rest }: ComponentProps<"th">) {
  return (
    <th
      scope="col"
      {...rest}
      className={cx("h-9 whitespace-nowrap px-3 font-normal text-muted text-xs first:pl-4 last:pr-4", className)}
    />
  );
}

/** A row; `interactive` where a click opens something. */
export function Tr({ interactive = false, className, ...rest }: ComponentProps<"tr"> & { interactive?: boolean }) {
  return (
    <tr
      {...rest}
      className={cx("border-line border-b", interactive && "cursor-pointer hover:bg-raised/60", className)}
    />
  );
}

export function Td({ className, ...rest }: ComponentProps<"td">) {
  return <td {...rest} className={cx("px-3 py-2 align-middle first:pl-4 last:pr-4", className)} />;
}
