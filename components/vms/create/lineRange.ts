/** Where a line of a text begins and ends, as offsets. @param line from 1; a line beyond the text is its end */
export function lineRange(text: string, line: number): { start: number; end: number } {
  const before = text.split("\n").slice(0, line - 1);
  const start = Math.min(
    text.length,
    before.reduce((length, each) => length + each.length + 1, 0),
  );
  const newline = text.indexOf("\n", start);
  return { start, end: newline === -1 ? text.length : newline };
}
