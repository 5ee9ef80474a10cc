"use client";

import dynamic from "next/dynamic";
import type { ConfirmDialogProps } from "./ConfirmPanel";

const ConfirmPanel = dynamic(() => import("./ConfirmPanel").then((module) => module.ConfirmPanel), { ssr: false });

/** Asks once before an act. Its code is loaded when it first opens. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return props.open ? <ConfirmPanel {...props} /> : null;
}
