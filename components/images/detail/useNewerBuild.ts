"use client";

import { useEffect, useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { messageOf } from "../../../lib/domain/errors";
import type { ImageDetail } from "../../../lib/domain/imageDetail";
import { keys } from "../../data/keys";

/** How long an answer counts, before a look at the image asks again. */
const goodForMs = 60 * 60 * 1000;

/** Asks the maker of a catalogue's image for a newer build: once when its page is opened, and when told to. What comes of it is told as any change is. */
export function useNewerBuild({ id, newerId, published }: ImageDetail) {
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const ask = async () => {
    setPending(true);
    setError(undefined);
    try {
      await apiRequest("POST", `${keys.image(id)}/newer-build`);
    } catch (thrown) {
      setError(messageOf(thrown));
    } finally {
      setPending(false);
    }
  };
  const isKnown = published?.problem === null && Date.now() - Date.parse(published.askedAt) < goodForMs;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each page that is opened, whatever changes on it.
  useEffect(() => {
    if (newerId === null && !isKnown) void ask();
  }, [id]);
  return { ask, isPending, error };
}
