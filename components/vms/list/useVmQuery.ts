"use client";

import { useSearchParams } from "next/navigation";
import { useState } from "react";
import { type VmSort, vmSortKeys } from "./vmQuery";

export interface VmQuery {
  search: string;
  sort: VmSort;
  page: number;
}

const defaultSort: VmSort = { key: "created", descending: true };

/** Search, order and page of the list. They are kept in the address, so that Back and a bookmark bring them back. */
export function useVmQuery(): [VmQuery, (changes: Partial<VmQuery>) => void] {
  const params = useSearchParams();
  const [query, setQuery] = useState<VmQuery>(() => parseVmQuery(params));
  const change = (changes: Partial<VmQuery>) => {
    // Another search or order begins at its first page.
    const next = { ...query, page: 1, ...changes };
    setQuery(next);
    const text = formatVmQuery(next);
    window.history.replaceState(null, "", text === "" ? window.location.pathname : `?${text}`);
  };
  return [query, change];
}

export function parseVmQuery(params: Pick<URLSearchParams, "get">): VmQuery {
  const [name = "", order] = (params.get("sort") ?? "").split(".");
  const key = vmSortKeys.find((each) => each === name);
  return {
    search: params.get("q") ?? "",
    sort: key ? { key, descending: order === "desc" } : defaultSort,
    page: Math.max(1, Math.trunc(Number(params.get("page"))) || 1),
  };
}

/** What differs from the default, as a query string. */
export function formatVmQuery({ search, sort, page }: VmQuery): string {
  const params = new URLSearchParams();
  if (search) params.set("q", search);
  if (sort.key !== defaultSort.key || sort.descending !== defaultSort.descending) {
    params.set("sort", sort.descending ? `${sort.key}.desc` : sort.key);
  }
  if (page > 1) params.set("page", String(page));
  return params.toString();
}
