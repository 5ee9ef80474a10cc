"use client";

import { useState } from "react";
import { ApiProblem } from "../../lib/api/client";
import { messageOf } from "../../lib/domain/errors";

interface Submit {
  isPending: boolean;
  /** Stands over the form; undefined when every complaint is about a field. */
  error: string | undefined;
  /** Complaints by field. */
  fields: Record<string, string>;
  /** Does it, and keeps what is wrong with it. @returns whether it was done */
  submit: (act: () => Promise<void>) => Promise<boolean>;
  /** Forgets errors. */
  reset: () => void;
}

/** A form's sending: pending, errors of fields, other errors. @param shownFields the fields that the form shows errors of */
export function useSubmit(...shownFields: string[]): Submit {
  const [isPending, setPending] = useState(false);
  const [thrown, setThrown] = useState<unknown>();

  const submit = async (act: () => Promise<void>) => {
    if (isPending) return false;
    setPending(true);
    setThrown(undefined);
    try {
      await act();
      return true;
    } catch (error) {
      setThrown(error);
      return false;
    } finally {
      setPending(false);
    }
  };

  const fields = thrown instanceof ApiProblem ? thrown.fields : {};
  const isAllInFields =
    Object.keys(fields).length > 0 && Object.keys(fields).every((name) => shownFields.includes(name));
  const error = thrown === undefined || isAllInFields ? undefined : messageOf(thrown);
  return { isPending, error, fields, submit, reset: () => setThrown(undefined) };
}
