"use client";

import type { z } from "zod";
import { apiRequest } from "../../../lib/api/client";
import type { createImageSchema } from "../../../lib/domain/imageRequest";
import type { Operation } from "../../../lib/domain/operation";
import { useOperations } from "../../data/hooks";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import { notify } from "../../ui/notify";

export type AddImageRequest = z.input<typeof createImageSchema>;

/** Sends a request for an image. What comes of it is told by its operation, which is handed on. @param shownFields fields that the form shows problems of */
export function useAddImage(...shownFields: string[]) {
  const operations = useOperations();
  const { submit, ...form } = useSubmit(...shownFields);
  const add = (request: AddImageRequest, onAccepted?: (operation: Operation) => void) =>
    submit(async () => {
      const operation = await apiRequest<Operation>("POST", keys.images, request);
      onAccepted?.(operation);
      operations.reload();
      notify(`${operation.subject}: accepted.`);
    });
  return { ...form, add };
}
