/** Those items in whose text every word of a query occurs, those that begin with the query first; at most `limit`. */
export function matches<T>(items: readonly T[], query: string, textOf: (item: T) => string, limit: number): T[] {
  const wanted = query.trim().toLowerCase();
  const words = wanted.split(/\s+/);
  const found = items
    .map((item) => ({ item, text: textOf(item).toLowerCase() }))
    .filter(({ text }) => words.every((word) => text.includes(word)));
  const begins = found.filter(({ text }) => text.startsWith(wanted));
  const others = found.filter(({ text }) => !text.startsWith(wanted));
  return [...begins, ...others].slice(0, limit).map(({ item }) => item);
}
