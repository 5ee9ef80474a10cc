"use client";

import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../../ui/cx";
import { Th } from "../../ui/Table";
import type { VmSort, VmSortKey } from "./vmQuery";

interface SortableThProps {
  sortKey: VmSortKey;
  sort: VmSort;
  onSort: (sort: VmSort) => void;
  className?: string;
  children: ReactNode;
}

/** A column's head that sorts by it; again: the other way round. */
export function SortableTh({ sortKey, sort, onSort, className, children }: SortableThProps) {
  const isCurrent = sort.key === sortKey;
  const Arrow = sort.descending ? ArrowDown : ArrowUp;
  return (
    <Th
      aria-sort={isCurrent ? (sort.descending ? "descending" : "ascending") : undefined}
      className={cx("group", className)}
    >
      <button
        type="button"
        onClick={() => onSort({ key: sortKey, descending: isCurrent && !sort.descending })}
        className={cx("-mx-1 inline-flex items-center gap-1 rounded-sm px-1 hover:text-ink", isCurrent && "text-ink")}
      >
        {children}
        <Arrow
          aria-hidden
          className={cx("size-3", !isCurrent && "opacity-0 group-hover:opacity-60 group-focus-within:opacity-60")}
        />
      </button>
    </Th>
  );
}
