"use client";

import { useState } from "react";
import { apiRequest } from "../../../lib/api/client";
import { messageOf } from "../../../lib/domain/errors";
import type { Image } from "../../../lib/domain/image";
import type { Operation } from "../../../lib/domain/operation";
import { useOperations } from "../../data/hooks";
import { keys } from "../../data/keys";
import { notify } from "../../ui/notify";

/** Has an image be had anew, the way it came. */
export function useRefresh({ id }: Pick<Image, "id">) {
  const operations = useOperations();
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<string>();
  const refresh = async () => {
    setPending(true);
    setError(undefined);
    try {
      const operation = await apiRequest<Operation>("POST", `${keys.image(id)}/refresh`);
      operations.reload();
      notify(`${operation.subject}: accepted.`);
    } catch (thrown) {
      setError(messageOf(thrown));
    } finally {
      setPending(false);
    }
  };
  return { refresh, isPending, error };
}
