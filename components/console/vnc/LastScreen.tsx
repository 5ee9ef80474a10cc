"use client";

import { useState } from "react";

interface LastScreenProps {
  vmId: number;
  vmName: string;
  /** The last frame that was seen here; else the one that the server keeps. */
  frame: string | undefined;
}

/** The last picture of a screen that isn't live, dimmed. Nothing where there is none. */
export function LastScreen({ vmId, vmName, frame }: LastScreenProps) {
  const [isMissing, setMissing] = useState(false);
  const source = frame ?? `/api/vms/${vmId}/screenshot`;
  if (isMissing && frame === undefined) return null;
  return (
    // biome-ignore lint/performance/noImgElement: a picture of the moment, which an image optimizer must not keep
    <img
      src={source}
      alt={`Last screen of ${vmName}`}
      draggable={false}
      onError={() => setMissing(true)}
      className="size-full object-contain brightness-40"
    />
  );
}
