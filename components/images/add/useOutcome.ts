"use client";

import { useEffect, useEffectEvent, useState } from "react";
import type { Operation } from "../../../lib/domain/operation";
import { isUnderWay } from "../../activity/operationWords";
import { useOperations } from "../../data/hooks";

/**
 * What becomes of what a form asked for last. Until that is known the form keeps its values, so that what failed can be mended and asked for again.
 * @param onDone it is there, and the form was not changed meanwhile
 */
export function useOutcome(onDone: () => void) {
  const { data: operations } = useOperations();
  const [asked, setAsked] = useState<{ id: number; isChanged: boolean }>();
  const operation = operations?.find(({ id }) => id === asked?.id);
  const isDone = operation?.status === "done";
  const end = useEffectEvent(() => {
    if (asked?.isChanged === false) onDone();
    setAsked(undefined);
  });
  useEffect(() => {
    if (isDone) end();
  }, [isDone]);
  return {
    /** The same is being done, and needn't be asked for again. */
    isUnderWay: asked?.isChanged === false && (operation === undefined || isUnderWay(operation)),
    /** Why it came to nothing, until it is asked for again. */
    error: operation?.status === "failed" ? operation.error : null,
    follow: ({ id }: Operation) => setAsked({ id, isChanged: false }),
    /** The form's values are others now. */
    change: () => setAsked((before) => before && { ...before, isChanged: true }),
  };
}
