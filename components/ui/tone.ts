/** What a colour says; always beside a word that says it too. */
export type Tone = "neutral" | "info" | "ok" | "warn" | "bad";

/** Classes of a tinted box with text in it. */
export const softTone: Record<Tone, string> = {
  neutral: "bg-raised text-muted",
  info: "bg-accent-soft text-accent-ink",
  ok: "bg-ok-soft text-ok-ink",
  warn: "bg-warn-soft text-warn-ink",
  bad: "bg-bad-soft text-bad-ink",
};

/** Classes of a filled mark: a dot, a bar. */
export const fillTone: Record<Tone, string> = {
  neutral: "bg-control",
  info: "bg-accent",
  ok: "bg-ok",
  warn: "bg-warn",
  bad: "bg-bad",
};

/** Classes of coloured text. */
export const inkTone: Record<Tone, string> = {
  neutral: "text-muted",
  info: "text-accent-ink",
  ok: "text-ok-ink",
  warn: "text-warn-ink",
  bad: "text-bad-ink",
};
