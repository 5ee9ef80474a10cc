import type { CatalogueItem } from "../../../lib/domain/catalogueItem";
import { isPastEndOfLife } from "../../../lib/domain/image";

export interface CatalogueGroup {
  title: string;
  items: CatalogueItem[];
}

/**
 * The catalogue in three parts, each in its own order: of each system the release that is supported the longest, or has no end; the others that are
 * still supported; those that aren't any more. Parts that would be empty are left out.
 * @param items what is shown
 * @param all the whole catalogue, which tells what each system's best release is
 */
export function groupCatalogue(
  items: readonly CatalogueItem[],
  all: readonly CatalogueItem[],
  nowMs: number,
): CatalogueGroup[] {
  const isBest = (item: CatalogueItem) =>
    all.every((other) => other.os.family !== item.os.family || supportEnd(other) <= supportEnd(item));
  const isOver = (item: CatalogueItem) => isPastEndOfLife(item, nowMs);
  const groups = [
    { title: "Stable, and supported the longest", items: items.filter((item) => !isOver(item) && isBest(item)) },
    { title: "Other releases", items: items.filter((item) => !isOver(item) && !isBest(item)) },
    { title: "No longer supported", items: items.filter(isOver) },
  ];
  return groups.filter((group) => group.items.length > 0);
}

function supportEnd({ endOfLife }: CatalogueItem): number {
  return endOfLife === null ? Number.POSITIVE_INFINITY : Date.parse(endOfLife);
}
