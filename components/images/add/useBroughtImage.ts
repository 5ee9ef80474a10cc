"use client";

import { useState } from "react";
import { useHost } from "../../data/hooks";
import { type BroughtImage, broughtImageOf, emptyBroughtImage, guessFromFile } from "./broughtImage";

/** What a form holds of an image that somebody brings. */
export function useBroughtImage() {
  const { data: host } = useHost();
  const [typed, setTyped] = useState(emptyBroughtImage);
  const [isNamed, setNamed] = useState(false);
  return {
    image: broughtImageOf(typed, host?.report?.arch),
    change: (changes: Partial<BroughtImage>) => {
      if ("name" in changes) setNamed(true);
      setTyped((before) => ({ ...before, ...changes }));
    },
    /** Takes what the file's name tells, until somebody has named the image. */
    guess: (fileName: string) => {
      if (!isNamed) setTyped((before) => ({ ...before, ...guessFromFile(fileName) }));
    },
    empty: () => {
      setTyped(emptyBroughtImage);
      setNamed(false);
    },
  };
}
