"use client";

import dynamic from "next/dynamic";
import { useEffect, useState } from "react";
import { onNotice } from "../ui/notify";

const Toaster = dynamic(() => import("./Toaster").then((module) => module.Toaster), { ssr: false });

/** The place of toasts, loaded with the first of them. */
export function LazyToaster() {
  const [isWanted, setWanted] = useState(false);
  useEffect(() => onNotice(() => setWanted(true)), []);
  return isWanted ? <Toaster /> : null;
}
