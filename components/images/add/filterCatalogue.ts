import { archSchema } from "../../../lib/domain/arch";
import type { CatalogueItem } from "../../../lib/domain/catalogueItem";

export const archFilters = ["all", ...archSchema.options] as const;
export type ArchFilter = (typeof archFilters)[number];

/** Entries that a filter and a search text leave: every word of the text is in the title, a name, an alias, the id or the architecture. */
export function filterCatalogue(items: readonly CatalogueItem[], arch: ArchFilter, text: string): CatalogueItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    if (arch !== "all" && item.arch !== arch) return false;
    const haystack = [item.title, item.name, ...item.aliases, item.id, item.arch].join(" ").toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}
