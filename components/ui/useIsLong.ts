"use client";

import { useEffect, useState } from "react";

/** Whether something has been going on for so long that it is worth a word. @param afterMs how long that is */
export function useIsLong(isGoingOn: boolean, afterMs = 3_000): boolean {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (!isGoingOn) return;
    const timer = setTimeout(() => setLong(true), afterMs);
    return () => {
      clearTimeout(timer);
      setLong(false);
    };
  }, [isGoingOn, afterMs]);
  return isLong;
}
