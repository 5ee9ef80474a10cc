"use client";

import { useState } from "react";
import { cx } from "./cx";
import { Tooltip } from "./Tooltip";

interface ClampedTextProps {
  /** With its line breaks. */
  text: string;
  className?: string;
}

/** The first two lines of a text that people wrote. Where that is not all, more is told on hover, focus and touch. */
export function ClampedText({ text, className }: ClampedTextProps) {
  const [isCut, setCut] = useState(false);
  const watch = (element: HTMLParagraphElement) => {
    const observer = new ResizeObserver(() => setCut(element.scrollHeight > element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  };
  const line = (
    <p
      ref={watch}
      tabIndex={isCut ? 0 : undefined}
      className={cx("wrap-anywhere line-clamp-2 whitespace-pre-line", className)}
    >
      {text}
    </p>
  );
  if (!isCut) return line;
  return (
    <Tooltip content={<span className="wrap-anywhere line-clamp-20 whitespace-pre-line">{text}</span>} opensOnClick>
      {line}
    </Tooltip>
  );
}
