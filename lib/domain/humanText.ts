import * as z from "zod";

/** Letters and pictures, and what is added to them: what a joiner stands between ("👩‍💻", "می‌خواهم"). */
const joined = "\\p{L}\\p{M}\\p{Extended_Pictographic}\\p{Emoji_Modifier}";
/** Control and format characters and half surrogates; without joiners in their place, and not line and paragraph separators. */
const hidden = `(?<![${joined}])[\\u200C\\u200D]|[\\u200C\\u200D](?![${joined}])|(?![\\u200C\\u200D])[\\p{Cc}\\p{Cf}\\p{Cs}]`;

const hiddenInLine = new RegExp(`${hidden}|[\\p{Zl}\\p{Zp}]`, "u");
const hiddenInText = new RegExp(`(?![\\t\\n])(?:${hidden})`, "u");
/** The mark or filler that stands alone is drawn as nothing, too. */
const visible = /[^\s\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * A name or title as people write it, in any script: one line that shows something and holds no character that is unseen or turns the text around.
 * @param whenEmpty what to do where nothing is there to be seen
 */
export function lineSchema(maxLength: number, whenEmpty = "Give a name.") {
  return z
    .string()
    .trim()
    .min(1, whenEmpty)
    .max(maxLength, `At most ${maxLength} characters.`)
    .superRefine((text, context) => {
      const message = hiddenProblem(hiddenInLine, text) ?? (visible.test(text) ? undefined : whenEmpty);
      if (message) context.addIssue({ code: "custom", message });
    });
}

/** A note or description as people write it: lines, perhaps none, without characters that are unseen or turn the text around. */
export function textSchema(maxLength: number) {
  return z
    .string()
    .overwrite((text) => text.replaceAll("\r\n", "\n"))
    .max(maxLength, `At most ${maxLength} characters.`)
    .superRefine((text, context) => {
      const message = hiddenProblem(hiddenInText, text);
      if (message) context.addIssue({ code: "custom", message });
    });
}

function hiddenProblem(pattern: RegExp, text: string): string | undefined {
  const found = pattern.exec(text)?.[0];
  if (found === undefined) return undefined;
  const codePoint = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `Leave out the character U+${codePoint}: it can't be seen, or changes how the rest is shown.`;
}
