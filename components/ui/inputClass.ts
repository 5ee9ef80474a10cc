/** The look that text inputs, text areas and selects share. */
export const inputClass =
  "w-full rounded-md border border-control bg-surface text-sm text-ink transition-colors duration-100 hover:border-muted aria-invalid:border-bad focus-visible:outline-offset-0 disabled:opacity-55";
