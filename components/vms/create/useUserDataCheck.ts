"use client";

import { useEffect, useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { messageOf } from "../../../lib/domain/errors";
import type { FirstBootInput } from "../../../lib/domain/firstBoot";
import type { GuestFile } from "../../../lib/domain/vm";

export interface UserDataProblem {
  /** From 1; null when it is about the whole. */
  line: number | null;
  message: string;
}

interface CheckAnswer {
  valid: boolean;
  problems: UserDataProblem[];
  /** What may be wrong, and is taken all the same. */
  warnings: UserDataProblem[];
  /** What the guest will get. */
  preview: string;
}

export interface UserDataCheck extends CheckAnswer {
  /** The text that was checked. */
  text: string;
}

const quietMs = 300;

/** What is merged with user data, and what of the image it depends on. */
export type FirstBootParts = FirstBootInput & {
  files: GuestFile[];
  loginUser: string;
  osFamily: string | undefined;
};

/**
 * Has the server check user data, and merge it with what else was asked of the first boot, whenever typing pauses.
 * @returns the last answer; undefined before the first
 */
export function useUserDataCheck(text: string, { password, ...parts }: FirstBootParts): UserDataCheck | undefined {
  const [check, setCheck] = useState<UserDataCheck>();
  // The preview shows no password: whichever stands for it.
  const users = parts.users?.map((user) => ({ ...user, ...(user.password && { password: "hidden" }) }));
  const request = JSON.stringify({ userData: text, ...parts, users, ...(password && { password: "hidden" }) });
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      apiRequest<CheckAnswer>("POST", "/api/user-data/check", JSON.parse(request), { signal: abort.signal })
        .catch((error: unknown) => ({
          valid: false,
          problems: [{ line: null, message: messageOf(error) }],
          warnings: [],
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
  }, [text, request]);
  return check;
}
