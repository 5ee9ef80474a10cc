/** A piece of a text to type: at most a line, with its line break. */
export interface TypedPiece {
  text: string;
  /** Counted from 1. */
  line: number;
}

/** What the API types at one time; small, so that cancelling and progress are prompt. */
export const maxPieceCharacters = 200;

/** A text in pieces, line by line. Line breaks of any kind become "\n". Pure. */
export function piecesOf(text: string): TypedPiece[] {
  const lines = text.replaceAll(/\r\n?/g, "\n").split(/(?<=\n)/);
  return lines.flatMap((content, index) => {
    const characters = [...content];
    const pieces: TypedPiece[] = [];
    for (let at = 0; at < characters.length; at += maxPieceCharacters) {
      pieces.push({ text: characters.slice(at, at + maxPieceCharacters).join(""), line: index + 1 });
    }
    return pieces;
  });
}

/** The first character that a US keyboard has no key for, and its line; so that a script isn't typed by half. Pure. */
export function firstUntypable(text: string): { character: string; line: number } | undefined {
  for (const { text: piece, line } of piecesOf(text)) {
    const character = /[^\n\t\x20-\x7e]/u.exec(piece)?.[0];
    if (character !== undefined) return { character, line };
  }
  return undefined;
}
