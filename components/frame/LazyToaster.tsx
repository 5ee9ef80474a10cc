"use client";

import dynamic from "next/dynamic";

const Toaster = dynamic(() => import("./Toaster").then((module) => module.Toaster), { ssr: false });

/** The place of toasts, loaded after the page. */
export function LazyToaster() {
  return <Toaster />;
}
