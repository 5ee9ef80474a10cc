import { CopyButton } from "./CopyButton";
import { cx } from "./cx";

interface CodeBlockProps {
  code: string;
  /** What it is, for the copy button and screen readers: "curl command". */
  what: string;
  /** Breaks long lines instead of scrolling. */
  wrap?: boolean;
  /** Not where answers stand between the commands. */
  copyable?: boolean;
  className?: string;
}

const boxClass = "overflow-x-auto rounded-lg py-2.5 pl-3";

/** Code to read and to copy. */
export function CodeBlock({ code, what, wrap = false, copyable = true, className }: CodeBlockProps) {
  return (
    <div className={cx("relative rounded-lg border border-line bg-sunken", className)}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section aria-label={what} tabIndex={0} className={cx(boxClass, copyable ? "pr-10" : "pr-3")}>
        <pre className={cx("font-mono text-xs leading-5", wrap && "wrap-anywhere whitespace-pre-wrap")}>{code}</pre>
      </section>
      {copyable ? <CopyButton text={code} what={what} className="absolute top-1.5 right-1.5 bg-sunken" /> : null}
    </div>
  );
}
