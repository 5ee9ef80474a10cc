"use client";

import { type ReactNode, useEffect } from "react";
import { SWRConfig, useSWRConfig } from "swr";
import { ApiProblem, apiRequest } from "../../lib/api/client";
import { setConnection } from "./connection";
import { openEventStream } from "./eventStream";
import { keys, keysOf } from "./keys";

/** Changes that come in a burst are read together. */
const gatherMs = 120;
const retryLimit = 5;

/** Gives the pages below it data that stays true: one cache, one event stream, no polling. */
export function LiveData({ children }: { children: ReactNode }) {
  return (
    <SWRConfig
      value={{
        fetcher: (path: string) => apiRequest("GET", path),
        // Events tell of changes, so neither focus nor the network's return needs a reading of its own.
        revalidateOnFocus: false,
        revalidateOnReconnect: false,
        onError: leaveWhenSignedOut,
        onErrorRetry: (error, _key, _config, revalidate, { retryCount }) => {
          const isWorthIt = !(error instanceof ApiProblem) || error.status === 0 || error.status >= 500;
          if (isWorthIt && retryCount <= retryLimit)
            setTimeout(() => revalidate({ retryCount }), 1000 * 2 ** retryCount);
        },
      }}
    >
      <EventStream />
      {children}
    </SWRConfig>
  );
}

function EventStream() {
  const { mutate } = useSWRConfig();
  useEffect(() => {
    const stale = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      for (const key of stale) void mutate(key);
      stale.clear();
    };
    const close = openEventStream({
      onState: setConnection,
      onOpen: () => void mutate(() => true),
      onChange: (change) => {
        for (const key of keysOf(change)) stale.add(key);
        timer ??= setTimeout(flush, gatherMs);
      },
      probe: () =>
        apiRequest("GET", keys.sizes).then(
          () => true,
          (error: unknown) => {
            leaveWhenSignedOut(error);
            return false;
          },
        ),
    });
    return () => {
      clearTimeout(timer);
      close();
    };
  }, [mutate]);
  return null;
}

/** An ended session: sign in, then come back to this page. */
function leaveWhenSignedOut(error: unknown): void {
  if (!(error instanceof ApiProblem) || error.status !== 401) return;
  const here = window.location.pathname + window.location.search;
  window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}
