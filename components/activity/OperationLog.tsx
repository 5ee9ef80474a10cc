"use client";

import { useEffect, useRef, useState } from "react";
import { apiRequest } from "../../lib/api/client";
import type { Operation } from "../../lib/domain/operation";

interface LogPart {
  text: string;
  nextOffset: number;
}

/** What long work says, live: read on whenever its operation changes. */
export function OperationLog({ operation }: { operation: Operation }) {
  const text = useLog(operation);
  const box = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls as the text grows, unless somebody has scrolled back.
  useEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <section
      ref={box}
      role="log"
      aria-label="Log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
      className="max-h-72 overflow-auto rounded-lg border border-line bg-sunken px-3 py-2"
    >
      <pre className="wrap-anywhere whitespace-pre-wrap font-mono text-xs leading-5">
        {text === "" ? <span className="text-muted">Nothing has been said yet.</span> : text}
      </pre>
    </section>
  );
}

function useLog(operation: Operation): string {
  const { id } = operation;
  const [log, setLog] = useState({ text: "", offset: 0 });
  const reading = useRef<Promise<void>>(Promise.resolve());
  const offset = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the operation may mean that more was said.
  useEffect(() => {
    let isOver = false;
    const readOn = async () => {
      for (let isMore = true; isMore && !isOver; ) {
        const part = await apiRequest<LogPart>("GET", `/api/operations/${id}/log?offset=${offset.current}`);
        isMore = part.nextOffset > offset.current;
        offset.current = part.nextOffset;
        if (isMore) setLog((before) => ({ text: before.text + part.text, offset: part.nextOffset }));
      }
    };
    // A log that can't be read now is read with the next change.
    reading.current = reading.current.then(readOn).catch(() => undefined);
    return () => {
      isOver = true;
    };
  }, [id, operation]);
  return log.text;
}
