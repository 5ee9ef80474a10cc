"use client";

import { useSyncExternalStore } from "react";

const neverChanges = () => () => {};

/** Where this console is, as the browser reaches it: "http://127.0.0.1:3000". On the server, the default one. */
export function useOrigin(): string {
  return useSyncExternalStore(
    neverChanges,
    () => window.location.origin,
    () => "http://127.0.0.1:3000",
  );
}
