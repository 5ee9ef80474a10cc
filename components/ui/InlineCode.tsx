/** The look of code among words; lines with it are no higher than others. */
export const inlineCodeClass = "rounded-sm bg-raised px-1 font-mono text-[0.92em] text-ink leading-none";

/** A sentence in which words between backticks are code. */
export function InlineCode({ text }: { text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text never change places
      <code key={index} className={inlineCodeClass}>
        {part}
      </code>
    ) : (
      part
    ),
  );
}
