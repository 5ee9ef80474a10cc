/** How much of a difference is told. */
const mostLines = 3;

/** What lines lack that they should have, and have that they should not, in words that follow what they are of; null when they are the same in some order. */
export function differenceOfLines(expected: readonly string[], found: readonly string[]): string | null {
  const missing = without(expected, found);
  const foreign = without(found, expected);
  const parts = [
    ...(missing.length > 0 ? [`lacks ${inWords(missing)}`] : []),
    ...(foreign.length > 0 ? [`has ${inWords(foreign)}, which is not of Cumulus' making`] : []),
  ];
  return parts.length > 0 ? parts.join(" and ") : null;
}

/** A line that is there twice, and once in the others, is left over once. */
function without(all: readonly string[], those: readonly string[]): string[] {
  const rest = [...those];
  return all.filter((line) => {
    const index = rest.indexOf(line);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}

function inWords(lines: readonly string[]): string {
  const more = lines.length - mostLines;
  const told = lines.slice(0, mostLines).map((line) => `"${line}"`);
  return [...told, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
