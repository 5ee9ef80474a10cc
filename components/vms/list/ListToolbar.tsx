"use client";

import { Search } from "lucide-react";
import type { RefObject } from "react";
import { Input } from "../../ui/Input";
import { Kbd } from "../../ui/Kbd";
import { Select } from "../../ui/Select";
import type { VmQuery } from "./useVmQuery";
import { vmSortKeys } from "./vmQuery";

interface ListToolbarProps {
  query: VmQuery;
  onChange: (changes: Partial<VmQuery>) => void;
  /** Enter in the search. */
  onOpenFirst: () => void;
  searchInput: RefObject<HTMLInputElement | null>;
  /** How many of how many are shown. */
  shownCount: number;
  totalCount: number;
}

/** Search above the list; where the table has no heads, the order too. */
export function ListToolbar({ query, onChange, onOpenFirst, searchInput, shownCount, totalCount }: ListToolbarProps) {
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
      <div className="relative w-72 max-w-full max-md:flex-1">
        <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint" />
        <Input
          ref={searchInput}
          type="search"
          aria-label="Search VMs"
          placeholder="Name, address, image, status"
          value={query.search}
          onChange={(event) => onChange({ search: event.target.value })}
          onKeyDown={(event) => {
            // The browser's own Escape clears the text first.
            if (event.key === "Escape" && query.search === "") event.currentTarget.blur();
            if (event.key === "Enter") onOpenFirst();
          }}
          className="px-8"
        />
        {query.search === "" ? (
          <span aria-hidden className="pointer-events-none absolute top-[7px] right-2 max-md:hidden">
            <Kbd>/</Kbd>
          </span>
        ) : null}
      </div>
      <Select
        aria-label="Order"
        value={query.sort.key}
        onChange={(event) => {
          const key = vmSortKeys.find((each) => each === event.target.value);
          if (key) onChange({ sort: { key, descending: key === "created" } });
        }}
        className="w-32 md:hidden"
      >
        {vmSortKeys.map((key) => (
          <option key={key} value={key}>
            By {key}
          </option>
        ))}
      </Select>
      <p aria-live="polite" className="text-muted text-sm tabular-nums max-md:w-full">
        {query.search ? `${shownCount} of ${totalCount} VMs` : totalCount === 1 ? "1 VM" : `${totalCount} VMs`}
      </p>
    </div>
  );
}
