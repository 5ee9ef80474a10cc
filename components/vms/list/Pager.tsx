"use client";

import { ChevronLeft, ChevronRight } from "lucide-react";
import { IconButton } from "../../ui/IconButton";

interface PagerProps {
  page: number;
  pageCount: number;
  onPage: (page: number) => void;
}

/** For lists of more than one page. */
export function Pager({ page, pageCount, onPage }: PagerProps) {
  return (
    <nav aria-label="Pages" className="mt-3 flex items-center justify-end gap-1 text-muted text-sm tabular-nums">
      <span className="mr-2">
        Page {page} of {pageCount}
      </span>
      <IconButton
        label="Previous page"
        icon={<ChevronLeft aria-hidden />}
        disabledReason={page === 1 ? "This is the first page." : undefined}
        onClick={() => onPage(page - 1)}
      />
      <IconButton
        label="Next page"
        icon={<ChevronRight aria-hidden />}
        disabledReason={page === pageCount ? "This is the last page." : undefined}
        onClick={() => onPage(page + 1)}
      />
    </nav>
  );
}
