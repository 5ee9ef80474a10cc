import { cx } from "./cx";

export const dialogOverlayClass = "fixed inset-0 z-40 animate-fade-in bg-black/45";

/** A dialog's panel: centred, never higher than the window; along the bottom edge on narrow screens. */
export function dialogPanelClass(width: "md" | "lg"): string {
  return cx(
    "fixed inset-x-0 bottom-0 z-50 mx-auto flex max-h-[92dvh] w-full animate-pop-in flex-col rounded-t-lg border border-line-strong bg-surface shadow-float",
    "sm:top-[12vh] sm:bottom-auto sm:max-h-[76dvh] sm:w-[calc(100%-2rem)] sm:rounded-lg",
    width === "lg" ? "sm:max-w-2xl" : "sm:max-w-md",
  );
}
