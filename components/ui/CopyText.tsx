import { CopyButton } from "./CopyButton";
import { cx } from "./cx";

interface CopyTextProps {
  text: string;
  /** What it is: "address". */
  what: string;
  className?: string;
}

/** An id, address or command in monospace with its copy button. Cut off with dots where it doesn't fit. */
export function CopyText({ text, what, className }: CopyTextProps) {
  return (
    <span className={cx("inline-flex min-w-0 max-w-full items-center gap-0.5", className)}>
      <code className="truncate font-mono text-[12.5px]" title={text}>
        {text}
      </code>
      <CopyButton text={text} what={what} className="-my-1" />
    </span>
  );
}
