"use client";

import { useEffect, useRef } from "react";
import { Banner } from "../../ui/Banner";

/** Why what a form asked for came to nothing. It comes when the work ends, and is brought into view then. */
export function FailureBanner({ error }: { error: string | null }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (error !== null) place.current?.scrollIntoView({ block: "nearest" });
  }, [error]);
  if (error === null) return null;
  return (
    <div ref={place}>
      <Banner tone="bad">{error}</Banner>
    </div>
  );
}
