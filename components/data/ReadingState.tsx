"use client";

import type { ReactNode } from "react";
import { Banner } from "../ui/Banner";
import { Skeleton } from "../ui/Skeleton";
import type { Reading } from "./hooks";

interface ReadingStateProps<T> {
  reading: Reading<T>;
  /** What is read: "SSH keys". */
  what: string;
  /** Holds the content's place until it is there; three lines when not given. */
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** The content of a reading; before it a skeleton, and when reading failed what went wrong with Retry. */
export function ReadingState<T>({ reading, what, skeleton, children }: ReadingStateProps<T>) {
  const { data, error, reload } = reading;
  return (
    <>
      {error ? (
        <Banner tone="bad" title={`The ${what} could not be read`} onRetry={reload} className="m-3">
          {error.detail}
          {data === undefined ? null : " Below is what was read last."}
        </Banner>
      ) : null}
      {data === undefined ? (error ? null : (skeleton ?? <ListSkeleton what={what} />)) : children(data)}
    </>
  );
}

function ListSkeleton({ what }: { what: string }) {
  return (
    <div role="status" aria-label={`Reading ${what}`} className="flex flex-col gap-4 p-4">
      <Skeleton className="h-4 w-2/3" />
      <Skeleton className="h-4 w-1/2" />
      <Skeleton className="h-4 w-3/5" />
    </div>
  );
}
