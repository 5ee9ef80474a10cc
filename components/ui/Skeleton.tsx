import { cx } from "./cx";

/** Holds the place of content that is on its way; give it the content's size by classes. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cx("block animate-shimmer rounded-sm bg-raised", className)} />;
}
