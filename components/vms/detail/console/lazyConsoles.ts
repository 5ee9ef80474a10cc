"use client";

import dynamic from "next/dynamic";
import { ConsoleSkeleton } from "./ConsoleSkeleton";

/** noVNC and xterm are loaded when a console is opened, never before. */
export const LazyVncConsole = dynamic(() => import("../../../console/VncConsole").then((module) => module.VncConsole), {
  ssr: false,
  loading: ConsoleSkeleton,
});

export const LazySerialConsole = dynamic(
  () => import("../../../console/SerialConsole").then((module) => module.SerialConsole),
  { ssr: false, loading: ConsoleSkeleton },
);
