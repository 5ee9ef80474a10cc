"use client";

import { useCallback, useState } from "react";

export interface Selection<T> {
  /** Those chosen that are still there. */
  items: T[];
  has: (item: T) => boolean;
  /** The same function on every render, for rows that are drawn only when they change. */
  setOne: (item: T, isChosen: boolean) => void;
  set: (items: readonly T[], isChosen: boolean) => void;
  clear: () => void;
}

/** Which items of a list are chosen. What leaves the list leaves the selection. */
export function useSelection<T extends { id: number }>(all: readonly T[]): Selection<T> {
  const [ids, setIds] = useState<ReadonlySet<number>>(new Set());
  const set = useCallback((items: readonly T[], isChosen: boolean) => {
    setIds((before) => {
      const after = new Set(before);
      for (const { id } of items) {
        if (isChosen) after.add(id);
        else after.delete(id);
      }
      return after;
    });
  }, []);
  const setOne = useCallback((item: T, isChosen: boolean) => set([item], isChosen), [set]);
  return {
    items: all.filter((item) => ids.has(item.id)),
    has: (item) => ids.has(item.id),
    setOne,
    set,
    clear: () => setIds(new Set()),
  };
}
