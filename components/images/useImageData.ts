"use client";

import { useEffect } from "react";
import type { CatalogueItem } from "../../lib/domain/catalogueItem";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { type Reading, useImages, useList, useOperations, useReading } from "../data/hooks";
import { keys } from "../data/keys";

export const useCatalogue = () => useList<CatalogueItem>(keys.catalogue);

/** What is wrong with the administrator's own files of the catalogue. */
export const useCatalogueProblems = (): string[] =>
  useReading<{ problems: string[] }>(keys.catalogue).data?.problems ?? [];

/** One image with what uses it; null reads none. */
export function useImage(id: number | null): Reading<ImageDetail> {
  const reading = useReading<ImageDetail>(id === null ? null : keys.image(id));
  const { data: images } = useImages();
  const listed = images?.find((image) => image.id === id);
  // What uses it changes without a change of the image: the list's numbers tell.
  const uses = listed && `${listed.vmCount} ${listed.snapshotCount} ${listed.newerId}`;
  const known = reading.data && `${reading.data.vmCount} ${reading.data.snapshotCount} ${reading.data.newerId}`;
  const { reload } = reading;
  const isStale = uses !== undefined && known !== undefined && uses !== known;
  // biome-ignore lint/correctness/useExhaustiveDependencies: read once for each change; `reload` is another function at each rendering.
  useEffect(() => {
    if (isStale) reload();
  }, [isStale, uses]);
  return reading;
}

/** Long work for images, newest first. */
export function useImageTasks(): Operation[] {
  const { data } = useOperations();
  return (data ?? []).filter(({ kind, isTask }) => isTask && kind.startsWith("image-"));
}
