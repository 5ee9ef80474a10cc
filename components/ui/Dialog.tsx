"use client";

import dynamic from "next/dynamic";
import type { DialogProps } from "./DialogPanel";

const DialogPanel = dynamic(() => import("./DialogPanel").then((module) => module.DialogPanel), { ssr: false });

/** A dialog over the page. Its code is loaded when it first opens. */
export function Dialog(props: DialogProps) {
  return props.open ? <DialogPanel {...props} /> : null;
}
