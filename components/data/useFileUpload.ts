"use client";

import { useEffect, useRef, useState } from "react";
import { ApiProblem, problemOf } from "../../lib/api/client";
import { sendFile } from "../../lib/browser/sendFile";
import type { Operation } from "../../lib/domain/operation";
import type { Transfer } from "../../lib/domain/task";
import { useSubmit } from "./useSubmit";

/** Sends a file, and tells how much of it has left the browser. Leaving the page ends it. @param shownFields fields that the form shows problems of */
export function useFileUpload(...shownFields: string[]) {
  const { submit, ...form } = useSubmit(...shownFields);
  const [transfer, setTransfer] = useState<Transfer>();
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  /**
   * @param asked "PUT /api/images/upload?name=a"
   * @returns the operation that works on it; undefined when it was refused or cancelled
   */
  const upload = async (asked: `${"PUT" | "POST"} ${string}`, file: File): Promise<Operation | undefined> => {
    const controller = new AbortController();
    abort.current = controller;
    let operation: Operation | undefined;
    await submit(async () => {
      const startedMs = Date.now();
      const tell = (doneBytes: number) => {
        const seconds = (Date.now() - startedMs) / 1000;
        setTransfer({ doneBytes, totalBytes: file.size, bytesPerSecond: seconds > 1 ? doneBytes / seconds : null });
      };
      tell(0);
      try {
        operation = await sent(await sendFile(asked, file, tell, controller.signal));
      } catch (error) {
        if (!controller.signal.aborted) throw error;
      } finally {
        setTransfer(undefined);
      }
    });
    return operation;
  };
  return { ...form, upload, transfer, cancel: () => abort.current?.abort() };
}

async function sent({ status, text }: { status: number; text: string }): Promise<Operation> {
  if (status === 0)
    throw new ApiProblem(0, "unavailable", "The upload broke off. Check that Cumulus runs, and try again.");
  if (status >= 400) throw problemOf(status, text);
  return JSON.parse(text) as Operation;
}
