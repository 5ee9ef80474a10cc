"use client";

import { useEffect, useRef, useState } from "react";
import { type Attempt, type ConnectionState, type KeptConnection, keepConnected } from "./keepConnected";

/** `idle`: nothing to connect to. */
export type ConsoleConnection = ConnectionState | { kind: "idle" };

/**
 * Keeps a connection up for as long as there is something to connect to.
 * @param attempt null while there is nothing to connect to; a new function is a new connection
 * @param news whatever tells that it may work now: when it changes, waiting ends
 */
export function useKeptConnection(attempt: Attempt | null, news: string): [ConsoleConnection, retryNow: () => void] {
  const [state, setState] = useState<ConsoleConnection>({ kind: "idle" });
  /** Grows when the user asks for another try after a denial. */
  const [round, setRound] = useState(0);
  const kept = useRef<KeptConnection>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round is a new connection
  useEffect(() => {
    if (attempt === null) return;
    const connection = keepConnected(attempt, setState);
    const retry = () => connection.retryNow();
    kept.current = connection;
    window.addEventListener("online", retry);
    return () => {
      window.removeEventListener("online", retry);
      kept.current = null;
      connection.stop();
      setState({ kind: "idle" });
    };
  }, [attempt, round]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the news is the reason, not an input
  useEffect(() => {
    kept.current?.retryNow();
  }, [news]);

  const retryNow = () => (state.kind === "denied" ? setRound(round + 1) : kept.current?.retryNow());
  return [state, retryNow];
}
