"use client";

import { useEffect, useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { messageOf } from "../../../lib/domain/errors";

interface UserDataProblem {
  /** From 1; null when it is about the whole. */
  line: number | null;
  message: string;
}

interface CheckAnswer {
  valid: boolean;
  problems: UserDataProblem[];
  /** What the guest will get. */
  preview: string;
}

export interface UserDataCheck extends CheckAnswer {
  /** The text that was checked. */
  text: string;
}

const quietMs = 300;

/** Has the server check user data whenever typing pauses. @returns the last answer; undefined before the first, or when there is no text */
export function useUserDataCheck(text: string): UserDataCheck | undefined {
  const [check, setCheck] = useState<UserDataCheck>();
  const isEmpty = text.trim() === "";
  useEffect(() => {
    if (isEmpty) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      apiRequest<CheckAnswer>("POST", "/api/user-data/check", { userData: text }, { signal: abort.signal })
        .catch((error: unknown) => ({
          valid: false,
          problems: [{ line: null, message: messageOf(error) }],
          preview: "",
        }))
        .then((answer) => {
          if (!abort.signal.aborted) setCheck({ ...answer, text });
        });
    }, quietMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, isEmpty]);
  return isEmpty ? undefined : check;
}
