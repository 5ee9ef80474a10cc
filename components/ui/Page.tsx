import type { ReactNode } from "react";
import { cx } from "./cx";

/** A page's content: at most 1200 px; `wide` for lists, which use the width. */
export function Page({ wide = false, children }: { wide?: boolean; children: ReactNode }) {
  return <div className={cx("mx-auto w-full px-4 py-5 sm:px-6", !wide && "max-w-[1200px]")}>{children}</div>;
}
