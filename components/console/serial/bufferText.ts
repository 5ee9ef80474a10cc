/** The part of xterm's buffer that holds its text. */
export interface TextBuffer {
  length: number;
  getLine(index: number): { isWrapped: boolean; translateToString(trimRight?: boolean): string } | undefined;
}

/** All text of a terminal, lines that it had to wrap joined again, without the empty ones at the end. Pure. */
export function bufferText(buffer: TextBuffer): string {
  const lines: string[] = [];
  for (let index = 0; index < buffer.length; index += 1) {
    const line = buffer.getLine(index);
    if (!line) continue;
    // A wrapped line's blanks belong to the text, but for those at its end.
    const continues = buffer.getLine(index + 1)?.isWrapped ?? false;
    const text = line.translateToString(!continues);
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
    else lines.push(text);
  }
  return `${lines.join("\n").trimEnd()}\n`;
}
