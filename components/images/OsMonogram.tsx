import { cx } from "../ui/cx";
import { monogramOf } from "./monogram";

/** A few letters that stand for an image's logo. */
export function OsMonogram({ title, className }: { title: string; className?: string }) {
  const monogram = monogramOf(title);
  return (
    <span
      aria-hidden
      className={cx(
        "flex size-9 shrink-0 items-center justify-center rounded-md border border-line bg-raised font-medium text-muted",
        monogram.length > 3 ? "text-2xs" : "text-sm",
        className,
      )}
    >
      {monogram}
    </span>
  );
}
