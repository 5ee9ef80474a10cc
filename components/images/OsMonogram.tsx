import { cx } from "../ui/cx";
import { monogramOf } from "./monogram";

/** Two letters that stand for an image's logo. */
export function OsMonogram({ title, className }: { title: string; className?: string }) {
  return (
    <span
      aria-hidden
      className={cx(
        "flex size-9 shrink-0 items-center justify-center rounded-md border border-line bg-raised font-medium text-muted text-sm",
        className,
      )}
    >
      {monogramOf(title)}
    </span>
  );
}
